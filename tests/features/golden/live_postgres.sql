WITH snapshots(lead_id, as_of) AS NOT MATERIALIZED (
  SELECT
    *
  FROM (VALUES
    (CAST(%s AS TEXT), CAST(%s AS BIGINT))) AS _values
), leads AS NOT MATERIALIZED (
  SELECT
    lead_id,
    account_id,
    created_at,
    known_at,
    CAST(attributes AS JSONB) ->> 'industry' AS "industry",
    CASE JSONB_TYPEOF(CAST(attributes AS JSONB) -> 'employees')
      WHEN 'number'
      THEN CAST((
        CAST(attributes AS JSONB) -> 'employees'
      ) AS DOUBLE PRECISION)
      WHEN 'boolean'
      THEN CAST(CAST(CAST((
        CAST(attributes AS JSONB) -> 'employees'
      ) AS BOOLEAN) AS INT) AS DOUBLE PRECISION)
    END AS "employees",
    CASE JSONB_TYPEOF(CAST(attributes AS JSONB) -> 'business')
      WHEN 'number'
      THEN CAST((
        CAST(attributes AS JSONB) -> 'business'
      ) AS DOUBLE PRECISION)
      WHEN 'boolean'
      THEN CAST(CAST(CAST((
        CAST(attributes AS JSONB) -> 'business'
      ) AS BOOLEAN) AS INT) AS DOUBLE PRECISION)
    END AS "business"
  FROM lead_versions
)
SELECT
  "t37"."lead_id",
  "t37"."as_of",
  COALESCE(CAST("t37"."lead|count@7|=call|*" AS DOUBLE PRECISION), 0.0) AS "calls_7d",
  COALESCE(CAST("t37"."lead|count@7|=page_view|=pricing" AS DOUBLE PRECISION), 0.0) AS "pricing_7d",
  COALESCE(CAST("t37"."lead|count|*|*" AS DOUBLE PRECISION), 0.0) AS "any_ever",
  CAST("t37"."as_of" - "t37"."lead|last|=call|*" AS DOUBLE PRECISION) / 86400000000.0 AS "days_since_call",
  CAST("t37"."as_of" - "t37"."lead|first|*|*" AS DOUBLE PRECISION) / 86400000000.0 AS "days_since_first",
  COALESCE(
    CAST((
      TRUNC((
        "t37"."lead|decayed@7|=page_view|*" * 1000000000.0
      )) + TRUNC(
        2.0 * (
          (
            "t37"."lead|decayed@7|=page_view|*" * 1000000000.0
          ) - TRUNC((
            "t37"."lead|decayed@7|=page_view|*" * 1000000000.0
          ))
        )
      )
    ) / 1000000000.0 AS DOUBLE PRECISION),
    0.0
  ) AS "fading",
  COALESCE(CAST("t37"."lead|distinct@30|=page_view|*" AS DOUBLE PRECISION), 0.0) AS "subjects_30d",
  COALESCE(
    CAST((
      TRUNC((
        "t37"."lead|sum@30|=call|*" * 1000000.0
      )) + TRUNC(
        2.0 * (
          (
            "t37"."lead|sum@30|=call|*" * 1000000.0
          ) - TRUNC((
            "t37"."lead|sum@30|=call|*" * 1000000.0
          ))
        )
      )
    ) / 1000000.0 AS DOUBLE PRECISION),
    0.0
  ) AS "minutes_30d",
  CAST((
    TRUNC((
      "t37"."lead|mean|=call|*" * 1000000.0
    )) + TRUNC(
      2.0 * (
        (
          "t37"."lead|mean|=call|*" * 1000000.0
        ) - TRUNC((
          "t37"."lead|mean|=call|*" * 1000000.0
        ))
      )
    )
  ) / 1000000.0 AS DOUBLE PRECISION) AS "minutes",
  CAST("t37"."lead|count@7|*|*" AS DOUBLE PRECISION) / NULLIF(CAST("t37"."lead|count@30|*|*" AS DOUBLE PRECISION), 0.0) AS "trend",
  CAST("t37"."lead|last|*|*" % 86400000000 AS DOUBLE PRECISION) / 3600000000.0 AS "hour",
  CAST((
    (
      "t37"."lead|last|*|*" + 259200000000
    ) % 604800000000
  ) - (
    (
      "t37"."lead|last|*|*" + 259200000000
    ) % 604800000000 % 86400000000
  ) AS DOUBLE PRECISION) / 86400000000.0 AS "weekday",
  CAST("t37"."as_of" - "t37"."created_at" AS DOUBLE PRECISION) / 86400000000.0 AS "age",
  "t37"."attribute_industry" AS "industry",
  "t37"."attribute_employees" AS "employees",
  "t37"."attribute_business" AS "business",
  COALESCE(CAST("t37"."account|count@7|=call|*" AS DOUBLE PRECISION), 0.0) AS "mates_calls_7d",
  CAST("t37"."as_of" - "t37"."account|last|*|*" AS DOUBLE PRECISION) / 86400000000.0 AS "mates_last",
  COALESCE(
    CAST((
      TRUNC((
        "t37"."account|decayed@7|*|*" * 1000000000.0
      )) + TRUNC(
        2.0 * (
          (
            "t37"."account|decayed@7|*|*" * 1000000000.0
          ) - TRUNC((
            "t37"."account|decayed@7|*|*" * 1000000000.0
          ))
        )
      )
    ) / 1000000000.0 AS DOUBLE PRECISION),
    0.0
  ) AS "mates_fading"
FROM (
  SELECT
    "t36"."lead_id",
    "t36"."as_of",
    "t36"."lead|count@7|=call|*",
    "t36"."lead|count@7|=page_view|=pricing",
    "t36"."lead|count|*|*",
    "t36"."lead|last|=call|*",
    "t36"."lead|first|*|*",
    "t36"."lead|decayed@7|=page_view|*",
    "t36"."lead|distinct@30|=page_view|*",
    "t36"."lead|sum@30|=call|*",
    "t36"."lead|mean|=call|*",
    "t36"."lead|count@7|*|*",
    "t36"."lead|count@30|*|*",
    "t36"."lead|last|*|*",
    "t36"."account_id",
    "t36"."created_at",
    "t36"."attribute_industry",
    "t36"."attribute_employees",
    "t36"."attribute_business",
    "t36"."account|count@7|=call|*",
    "t36"."account|last|*|*",
    "t36"."account|decayed@7|*|*"
  FROM (
    SELECT
      "t27"."lead_id",
      "t27"."as_of",
      "t27"."lead|count@7|=call|*",
      "t27"."lead|count@7|=page_view|=pricing",
      "t27"."lead|count|*|*",
      "t27"."lead|last|=call|*",
      "t27"."lead|first|*|*",
      "t27"."lead|decayed@7|=page_view|*",
      "t27"."lead|distinct@30|=page_view|*",
      "t27"."lead|sum@30|=call|*",
      "t27"."lead|mean|=call|*",
      "t27"."lead|count@7|*|*",
      "t27"."lead|count@30|*|*",
      "t27"."lead|last|*|*",
      "t27"."account_id",
      "t27"."created_at",
      "t27"."attribute_industry",
      "t27"."attribute_employees",
      "t27"."attribute_business",
      "t35"."_lead_id",
      "t35"."_as_of",
      "t35"."account|count@7|=call|*",
      "t35"."account|last|*|*",
      "t35"."account|decayed@7|*|*"
    FROM (
      SELECT
        "t24"."lead_id",
        "t24"."as_of",
        "t24"."lead|count@7|=call|*",
        "t24"."lead|count@7|=page_view|=pricing",
        "t24"."lead|count|*|*",
        "t24"."lead|last|=call|*",
        "t24"."lead|first|*|*",
        "t24"."lead|decayed@7|=page_view|*",
        "t24"."lead|distinct@30|=page_view|*",
        "t24"."lead|sum@30|=call|*",
        "t24"."lead|mean|=call|*",
        "t24"."lead|count@7|*|*",
        "t24"."lead|count@30|*|*",
        "t24"."lead|last|*|*",
        "t24"."account_id",
        "t24"."created_at",
        "t24"."attribute_industry",
        "t24"."attribute_employees",
        "t24"."attribute_business"
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
          "t21"."_lead_id",
          "t21"."_as_of",
          "t21"."account_id",
          "t21"."created_at",
          "t21"."attribute_industry",
          "t21"."attribute_employees",
          "t21"."attribute_business"
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
              "t11"."kind" IS NOT NULL) AS "lead|count|*|*",
            MAX("t11"."occurred_at") FILTER(WHERE
              "t11"."kind" = 'call') AS "lead|last|=call|*",
            MIN("t11"."occurred_at") FILTER(WHERE
              "t11"."kind" IS NOT NULL) AS "lead|first|*|*",
            SUM(
              EXP(GREATEST(CAST("t11"."age" AS DOUBLE PRECISION) * -1.146076687433772E-12, -700.0))
            ) FILTER(WHERE
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
                "t11"."kind" IS NOT NULL
              ) AND (
                "t11"."age" <= 604800000000
              )) AS "lead|count@7|*|*",
            COUNT(1) FILTER(WHERE
              (
                "t11"."kind" IS NOT NULL
              ) AND (
                "t11"."age" <= 2592000000000
              )) AS "lead|count@30|*|*",
            MAX("t11"."occurred_at") FILTER(WHERE
              "t11"."kind" IS NOT NULL) AS "lead|last|*|*"
          FROM (
            SELECT
              "t3"."lead_id",
              "t3"."as_of",
              "t8"."kind",
              "t8"."subject",
              "t8"."value",
              "t8"."occurred_at",
              "t3"."as_of" - "t8"."occurred_at" AS "age"
            FROM "snapshots" AS "t3"
            LEFT OUTER JOIN (
              SELECT
                *
              FROM "activities" AS "t1"
              WHERE
                NOT (
                  "t1"."kind" IN ('forbidden')
                )
            ) AS "t8"
              ON "t3"."lead_id" = "t8"."lead_id" AND "t8"."known_at" < "t3"."as_of"
          ) AS "t11"
          GROUP BY
            1,
            2
        ) AS "t20"
        LEFT OUTER JOIN (
          SELECT
            "t16"."lead_id" AS "_lead_id",
            "t16"."as_of" AS "_as_of",
            "t16"."account_id",
            "t16"."created_at",
            "t16"."attribute_industry",
            "t16"."attribute_employees",
            "t16"."attribute_business"
          FROM (
            SELECT
              "t14"."lead_id",
              "t14"."as_of",
              "t14"."account_id",
              "t14"."created_at",
              "t14"."attribute_industry",
              "t14"."attribute_employees",
              "t14"."attribute_business"
            FROM (
              SELECT
                *
              FROM (
                SELECT
                  "t9"."lead_id",
                  "t9"."as_of",
                  "t9"."account_id",
                  "t9"."created_at",
                  "t9"."version_at",
                  "t9"."attribute_industry",
                  "t9"."attribute_employees",
                  "t9"."attribute_business",
                  ROW_NUMBER() OVER (
                    PARTITION BY "t9"."lead_id", "t9"."as_of"
                    ORDER BY "t9"."version_at" DESC NULLS LAST
                    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
                  ) - 1 AS "rank"
                FROM (
                  SELECT
                    "t3"."lead_id",
                    "t3"."as_of",
                    "t5"."account_id",
                    "t5"."created_at",
                    "t5"."known_at" AS "version_at",
                    "t5"."industry" AS "attribute_industry",
                    "t5"."employees" AS "attribute_employees",
                    "t5"."business" AS "attribute_business"
                  FROM "snapshots" AS "t3"
                  LEFT OUTER JOIN "leads" AS "t5"
                    ON "t3"."lead_id" = "t5"."lead_id" AND "t5"."known_at" < "t3"."as_of"
                ) AS "t9"
              ) AS "t12"
              WHERE
                "t12"."rank" = 0
            ) AS "t14"
          ) AS "t16"
        ) AS "t21"
          ON "t20"."lead_id" = "t21"."_lead_id" AND "t20"."as_of" = "t21"."_as_of"
      ) AS "t24"
    ) AS "t27"
    LEFT OUTER JOIN (
      SELECT
        "t33"."lead_id" AS "_lead_id",
        "t33"."as_of" AS "_as_of",
        "t33"."account|count@7|=call|*",
        "t33"."account|last|*|*",
        "t33"."account|decayed@7|*|*"
      FROM (
        SELECT
          "t32"."lead_id",
          "t32"."as_of",
          COUNT(1) FILTER(WHERE
            (
              "t32"."kind" = 'call'
            ) AND (
              "t32"."age" <= 604800000000
            )) AS "account|count@7|=call|*",
          MAX("t32"."occurred_at") FILTER(WHERE
            "t32"."kind" IS NOT NULL) AS "account|last|*|*",
          SUM(
            EXP(GREATEST(CAST("t32"."age" AS DOUBLE PRECISION) * -1.146076687433772E-12, -700.0))
          ) FILTER(WHERE
            "t32"."kind" IS NOT NULL) AS "account|decayed@7|*|*"
        FROM (
          SELECT
            "t31"."lead_id",
            "t31"."as_of",
            "t8"."kind",
            "t8"."subject",
            "t8"."value",
            "t8"."occurred_at",
            "t31"."as_of" - "t8"."occurred_at" AS "age"
          FROM (
            SELECT
              "t29"."lead_id",
              "t29"."as_of",
              "t29"."account_id",
              "t29"."peer_id",
              "t29"."peer_account_id"
            FROM (
              SELECT
                "t28"."lead_id",
                "t28"."as_of",
                "t28"."account_id",
                "t28"."peer_id",
                "t28"."peer_account_id",
                "t28"."version_at",
                ROW_NUMBER() OVER (
                  PARTITION BY "t28"."lead_id", "t28"."as_of", "t28"."peer_id"
                  ORDER BY "t28"."version_at" DESC NULLS LAST
                  ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
                ) - 1 AS "rank"
              FROM (
                SELECT
                  "t25"."lead_id",
                  "t25"."as_of",
                  "t25"."account_id",
                  "t25"."peer_id",
                  "t4"."account_id" AS "peer_account_id",
                  "t4"."known_at" AS "version_at"
                FROM (
                  SELECT DISTINCT
                    *
                  FROM (
                    SELECT
                      "t17"."lead_id",
                      "t17"."as_of",
                      "t17"."account_id",
                      "t6"."lead_id" AS "peer_id"
                    FROM (
                      SELECT
                        "t13"."lead_id",
                        "t13"."as_of",
                        "t13"."account_id",
                        "t13"."created_at"
                      FROM (
                        SELECT
                          "t10"."lead_id",
                          "t10"."as_of",
                          "t10"."account_id",
                          "t10"."created_at",
                          "t10"."version_at",
                          ROW_NUMBER() OVER (
                            PARTITION BY "t10"."lead_id", "t10"."as_of"
                            ORDER BY "t10"."version_at" DESC NULLS LAST
                            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
                          ) - 1 AS "rank"
                        FROM (
                          SELECT
                            "t3"."lead_id",
                            "t3"."as_of",
                            "t5"."account_id",
                            "t5"."created_at",
                            "t5"."known_at" AS "version_at"
                          FROM "snapshots" AS "t3"
                          LEFT OUTER JOIN "leads" AS "t5"
                            ON "t3"."lead_id" = "t5"."lead_id" AND "t5"."known_at" < "t3"."as_of"
                        ) AS "t10"
                      ) AS "t13"
                      WHERE
                        "t13"."rank" = 0
                    ) AS "t17"
                    LEFT OUTER JOIN "leads" AS "t6"
                      ON "t17"."account_id" = "t6"."account_id" AND "t6"."known_at" < "t17"."as_of"
                  ) AS "t22"
                ) AS "t25"
                LEFT OUTER JOIN "leads" AS "t4"
                  ON "t25"."peer_id" = "t4"."lead_id" AND "t4"."known_at" < "t25"."as_of"
              ) AS "t28"
            ) AS "t29"
            WHERE
              "t29"."rank" = 0
              AND "t29"."peer_account_id" = "t29"."account_id"
              AND "t29"."peer_id" <> "t29"."lead_id"
          ) AS "t31"
          LEFT OUTER JOIN (
            SELECT
              *
            FROM "activities" AS "t1"
            WHERE
              NOT (
                "t1"."kind" IN ('forbidden')
              )
          ) AS "t8"
            ON "t31"."peer_id" = "t8"."lead_id" AND "t8"."known_at" < "t31"."as_of"
        ) AS "t32"
        GROUP BY
          1,
          2
      ) AS "t33"
    ) AS "t35"
      ON "t27"."lead_id" = "t35"."_lead_id" AND "t27"."as_of" = "t35"."_as_of"
  ) AS "t36"
) AS "t37"
