WITH snapshots(lead_id, as_of) AS (
  SELECT
    *
  FROM (VALUES
    (?, ?)) AS _values
), versions AS MATERIALIZED (
  SELECT
    s.lead_id,
    s.as_of,
    v.account_id,
    v.created_at,
    CAST(attributes ->> '$.industry' AS TEXT) AS "attribute_industry",
    CAST(attributes ->> '$.employees' AS REAL) AS "attribute_employees",
    CAST(attributes ->> '$.business' AS REAL) AS "attribute_business"
  FROM snapshots AS s
  LEFT JOIN lead_versions AS v
    ON v.lead_id = s.lead_id
    AND v.known_at = (
      SELECT
        MAX(w.known_at)
      FROM lead_versions AS w
      WHERE
        w.lead_id = s.lead_id AND w.known_at < s.as_of
    )
), peers AS MATERIALIZED (
  SELECT
    m.lead_id,
    m.as_of,
    p.lead_id AS peer_id
  FROM versions AS m
  JOIN lead_versions AS p
    ON p.account_id = m.account_id
    AND p.lead_id <> m.lead_id
    AND p.known_at = (
      SELECT
        MAX(w.known_at)
      FROM lead_versions AS w
      WHERE
        w.lead_id = p.lead_id AND w.known_at < m.as_of
    )
)
SELECT
  "t21"."lead_id",
  "t21"."as_of",
  COALESCE(CAST("t21"."lead|count@7|=call|*" AS REAL), 0.0) AS "calls_7d",
  COALESCE(CAST("t21"."lead|count@7|=page_view|=pricing" AS REAL), 0.0) AS "pricing_7d",
  COALESCE(CAST("t21"."lead|count|*|*" AS REAL), 0.0) AS "any_ever",
  CAST("t21"."as_of" - "t21"."lead|last|=call|*" AS REAL) / 86400000000.0 AS "days_since_call",
  CAST("t21"."as_of" - "t21"."lead|first|*|*" AS REAL) / 86400000000.0 AS "days_since_first",
  COALESCE(CAST(ROUND("t21"."lead|decayed@7|=page_view|*", 9) AS REAL), 0.0) AS "fading",
  COALESCE(CAST("t21"."lead|distinct@30|=page_view|*" AS REAL), 0.0) AS "subjects_30d",
  COALESCE(CAST(ROUND("t21"."lead|sum@30|=call|*", 6) AS REAL), 0.0) AS "minutes_30d",
  CAST(ROUND("t21"."lead|mean|=call|*", 6) AS REAL) AS "minutes",
  CAST("t21"."lead|count@7|*|*" AS REAL) / NULLIF(CAST("t21"."lead|count@30|*|*" AS REAL), 0.0) AS "trend",
  CAST("t21"."lead|last|*|*" % 86400000000 AS REAL) / 3600000000.0 AS "hour",
  CAST((
    "t21"."lead|last|*|*" + 259200000000
  ) % 604800000000 - (
    (
      "t21"."lead|last|*|*" + 259200000000
    ) % 604800000000
  ) % 86400000000 AS REAL) / 86400000000.0 AS "weekday",
  CAST("t21"."as_of" - "t21"."created_at" AS REAL) / 86400000000.0 AS "age",
  "t21"."attribute_industry" AS "industry",
  "t21"."attribute_employees" AS "employees",
  "t21"."attribute_business" AS "business",
  COALESCE(CAST("t21"."account|count@7|=call|*" AS REAL), 0.0) AS "mates_calls_7d",
  CAST("t21"."as_of" - "t21"."account|last|*|*" AS REAL) / 86400000000.0 AS "mates_last",
  COALESCE(CAST(ROUND("t21"."account|decayed@7|*|*", 9) AS REAL), 0.0) AS "mates_fading"
FROM (
  SELECT
    "t20"."lead_id",
    "t20"."as_of",
    "t20"."lead|count@7|=call|*",
    "t20"."lead|count@7|=page_view|=pricing",
    "t20"."lead|count|*|*",
    "t20"."lead|last|=call|*",
    "t20"."lead|first|*|*",
    "t20"."lead|decayed@7|=page_view|*",
    "t20"."lead|distinct@30|=page_view|*",
    "t20"."lead|sum@30|=call|*",
    "t20"."lead|mean|=call|*",
    "t20"."lead|count@7|*|*",
    "t20"."lead|count@30|*|*",
    "t20"."lead|last|*|*",
    "t20"."account_id",
    "t20"."created_at",
    "t20"."attribute_industry",
    "t20"."attribute_employees",
    "t20"."attribute_business",
    "t20"."account|count@7|=call|*",
    "t20"."account|last|*|*",
    "t20"."account|decayed@7|*|*"
  FROM (
    SELECT
      "t19"."lead_id",
      "t19"."as_of",
      "t19"."lead|count@7|=call|*",
      "t19"."lead|count@7|=page_view|=pricing",
      "t19"."lead|count|*|*",
      "t19"."lead|last|=call|*",
      "t19"."lead|first|*|*",
      "t19"."lead|decayed@7|=page_view|*",
      "t19"."lead|distinct@30|=page_view|*",
      "t19"."lead|sum@30|=call|*",
      "t19"."lead|mean|=call|*",
      "t19"."lead|count@7|*|*",
      "t19"."lead|count@30|*|*",
      "t19"."lead|last|*|*",
      "t19"."account_id",
      "t19"."created_at",
      "t19"."attribute_industry",
      "t19"."attribute_employees",
      "t19"."attribute_business",
      "t16"."_lead_id",
      "t16"."_as_of",
      "t16"."account|count@7|=call|*",
      "t16"."account|last|*|*",
      "t16"."account|decayed@7|*|*"
    FROM (
      SELECT
        "t17"."lead_id",
        "t17"."as_of",
        "t17"."lead|count@7|=call|*",
        "t17"."lead|count@7|=page_view|=pricing",
        "t17"."lead|count|*|*",
        "t17"."lead|last|=call|*",
        "t17"."lead|first|*|*",
        "t17"."lead|decayed@7|=page_view|*",
        "t17"."lead|distinct@30|=page_view|*",
        "t17"."lead|sum@30|=call|*",
        "t17"."lead|mean|=call|*",
        "t17"."lead|count@7|*|*",
        "t17"."lead|count@30|*|*",
        "t17"."lead|last|*|*",
        "t17"."account_id",
        "t17"."created_at",
        "t17"."attribute_industry",
        "t17"."attribute_employees",
        "t17"."attribute_business"
      FROM (
        SELECT
          "t14"."lead_id",
          "t14"."as_of",
          "t14"."lead|count@7|=call|*",
          "t14"."lead|count@7|=page_view|=pricing",
          "t14"."lead|count|*|*",
          "t14"."lead|last|=call|*",
          "t14"."lead|first|*|*",
          "t14"."lead|decayed@7|=page_view|*",
          "t14"."lead|distinct@30|=page_view|*",
          "t14"."lead|sum@30|=call|*",
          "t14"."lead|mean|=call|*",
          "t14"."lead|count@7|*|*",
          "t14"."lead|count@30|*|*",
          "t14"."lead|last|*|*",
          "t7"."_lead_id",
          "t7"."_as_of",
          "t7"."account_id",
          "t7"."created_at",
          "t7"."attribute_industry",
          "t7"."attribute_employees",
          "t7"."attribute_business"
        FROM (
          SELECT
            "t11"."lead_id",
            "t11"."as_of",
            COUNT(1) FILTER(WHERE
              (
                "t11"."kind" = 'call'
              ) AND (
                "t11"."age" <= 604800000000
              )) AS "lead|count@7|=call|*",
            COUNT(1) FILTER(WHERE
              (
                "t11"."kind" = 'page_view'
              )
              AND (
                "t11"."subject" = 'pricing'
              )
              AND (
                "t11"."age" <= 604800000000
              )) AS "lead|count@7|=page_view|=pricing",
            COUNT(1) FILTER(WHERE
              NOT "t11"."kind" IS NULL) AS "lead|count|*|*",
            MAX("t11"."occurred_at") FILTER(WHERE
              "t11"."kind" = 'call') AS "lead|last|=call|*",
            MIN("t11"."occurred_at") FILTER(WHERE
              NOT "t11"."kind" IS NULL) AS "lead|first|*|*",
            SUM(EXP(CAST("t11"."age" AS REAL) * -1.146076687433772E-12)) FILTER(WHERE
              "t11"."kind" = 'page_view') AS "lead|decayed@7|=page_view|*",
            COUNT(DISTINCT "t11"."subject") FILTER(WHERE
              (
                "t11"."kind" = 'page_view'
              ) AND (
                "t11"."age" <= 2592000000000
              )) AS "lead|distinct@30|=page_view|*",
            SUM("t11"."value") FILTER(WHERE
              (
                "t11"."kind" = 'call'
              ) AND (
                "t11"."age" <= 2592000000000
              )) AS "lead|sum@30|=call|*",
            AVG("t11"."value") FILTER(WHERE
              "t11"."kind" = 'call') AS "lead|mean|=call|*",
            COUNT(1) FILTER(WHERE
              (
                NOT "t11"."kind" IS NULL
              ) AND (
                "t11"."age" <= 604800000000
              )) AS "lead|count@7|*|*",
            COUNT(1) FILTER(WHERE
              (
                NOT "t11"."kind" IS NULL
              ) AND (
                "t11"."age" <= 2592000000000
              )) AS "lead|count@30|*|*",
            MAX("t11"."occurred_at") FILTER(WHERE
              NOT "t11"."kind" IS NULL) AS "lead|last|*|*"
          FROM (
            SELECT
              "t5"."lead_id",
              "t5"."as_of",
              "t9"."kind",
              "t9"."subject",
              "t9"."value",
              "t9"."occurred_at",
              "t5"."as_of" - "t9"."occurred_at" AS "age"
            FROM "snapshots" AS "t5"
            LEFT OUTER JOIN (
              SELECT
                *
              FROM "activities" AS "t3"
              WHERE
                NOT (
                  "t3"."kind" IN ('forbidden')
                )
            ) AS "t9"
              ON "t5"."lead_id" = "t9"."lead_id" AND "t9"."known_at" < "t5"."as_of"
          ) AS "t11"
        ) AS "t14"
        LEFT OUTER JOIN (
          SELECT
            "t0"."lead_id" AS "_lead_id",
            "t0"."as_of" AS "_as_of",
            "t0"."account_id",
            "t0"."created_at",
            "t0"."attribute_industry",
            "t0"."attribute_employees",
            "t0"."attribute_business"
          FROM "versions" AS "t0"
        ) AS "t7"
          ON "t14"."lead_id" = "t7"."_lead_id" AND "t14"."as_of" = "t7"."_as_of"
      ) AS "t17"
    ) AS "t19"
    LEFT OUTER JOIN (
      SELECT
        "t12"."lead_id" AS "_lead_id",
        "t12"."as_of" AS "_as_of",
        "t12"."account|count@7|=call|*",
        "t12"."account|last|*|*",
        "t12"."account|decayed@7|*|*"
      FROM (
        SELECT
          "t10"."lead_id",
          "t10"."as_of",
          COUNT(1) FILTER(WHERE
            (
              "t10"."kind" = 'call'
            ) AND (
              "t10"."age" <= 604800000000
            )) AS "account|count@7|=call|*",
          MAX("t10"."occurred_at") FILTER(WHERE
            NOT "t10"."kind" IS NULL) AS "account|last|*|*",
          SUM(EXP(CAST("t10"."age" AS REAL) * -1.146076687433772E-12)) FILTER(WHERE
            NOT "t10"."kind" IS NULL) AS "account|decayed@7|*|*"
        FROM (
          SELECT
            "t4"."lead_id",
            "t4"."as_of",
            "t9"."kind",
            "t9"."subject",
            "t9"."value",
            "t9"."occurred_at",
            "t4"."as_of" - "t9"."occurred_at" AS "age"
          FROM "peers" AS "t4"
          LEFT OUTER JOIN (
            SELECT
              *
            FROM "activities" AS "t3"
            WHERE
              NOT (
                "t3"."kind" IN ('forbidden')
              )
          ) AS "t9"
            ON "t4"."peer_id" = "t9"."lead_id" AND "t9"."known_at" < "t4"."as_of"
        ) AS "t10"
      ) AS "t12"
    ) AS "t16"
      ON "t19"."lead_id" = "t16"."_lead_id" AND "t19"."as_of" = "t16"."_as_of"
  ) AS "t20"
) AS "t21"
