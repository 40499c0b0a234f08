"""Small coherent tables in the shapes that connectors deliver from Salesforce, HubSpot and Marketo."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

BEGIN = datetime(2026, 1, 5, 9, tzinfo=UTC)
LEADS = 40
Tables = Mapping[str, list[dict[str, object]]]


def write_tables(folder: Path, tables: Tables) -> None:
    """Write each table as a CSV file, its columns in the order of its first row."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        lines = [
            ",".join(rows[0]),
            *(",".join("" if cell is None else str(cell) for cell in row.values()) for row in rows),
        ]
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def at(day: float) -> str:
    """Return the instant so many days after the begin, as connectors write it."""
    return f"{BEGIN + timedelta(days=day):%Y-%m-%d %H:%M:%S}"


def salesforce() -> Tables:
    """Every fourth lead converts into a contact and an opportunity, of which every third is still open; half grow."""
    lead = [f"00Q5A00001OVC{n:02d}" for n in range(LEADS)]
    converted = {n: n // 4 for n in range(0, LEADS, 4)}
    return {
        "lead": _salesforce_leads(lead, converted),
        "task": [
            {
                "id": f"00T5A00001{n:05d}", "is_deleted": "false", "status": "Completed", "task_subtype": "Call",
                "who_id": lead[n] if n % 8 else f"0035A00001OVC{n:02d}", "completed_date_time": at(n + 1),
            }
            for n in range(LEADS)
        ] + [
            {
                "id": "00T5A00001OTHER", "is_deleted": "false", "status": "Completed", "task_subtype": "Call",
                "who_id": "0035A00001NOONE", "completed_date_time": at(3),
            }
        ],
        "event": [
            {
                "id": f"00U5A00001{n:05d}", "is_deleted": "false", "who_id": lead[n], "start_date_time": at(n + 2),
                "created_date": at(n + 2),
            }
            for n in converted
        ],
        "opportunity": [
            {
                "id": f"0065A00001OVC{n:02d}", "is_deleted": "false", "is_closed": str(deal % 3 != 0).lower(),
                "is_won": str(deal % 3 == 1).lower(), "close_date": f"{at(n + 30):.10}", "amount": 1000 * deal,
            }
            for n, deal in converted.items()
        ],
        "lead_history": _salesforce_history(lead),
        "opportunity_history": [
            {
                "id": f"0065A00001OVC{n:02d}", "stage_name": stage, "_fivetran_start": at(n + days),
            }
            for n in converted for stage, days in (("Prospecting", 6), ("Proposal/Price Quote", 9))
        ],
    }  # fmt: skip


def _salesforce_leads(lead: list[str], converted: dict[int, int]) -> list[dict[str, object]]:
    return [
        {
            "id": lead[n], "created_date": at(n), "is_deleted": "false", "lead_source": "Web", "industry": "Retail",
            "country": "DE", "number_of_employees": 10 * n, "is_converted": str(n in converted).lower(),
            "converted_date": f"{at(n + 5):.10}" if n in converted else None,
            "converted_contact_id": f"0035A00001OVC{n:02d}" if n in converted else None,
            "converted_opportunity_id": f"0065A00001OVC{n:02d}" if n in converted else None,
        }
        for n in range(LEADS)
    ]  # fmt: skip


def _salesforce_history(lead: list[str]) -> list[dict[str, object]]:
    return [
        {
            "id": f"0175A00001{n:03d}{row:02d}", "is_deleted": "false", "lead_id": lead[n], "field": field,
            "old_value": old, "new_value": new, "created_date": at(n + days),
        }
        for n in range(LEADS)
        for row, (field, old, new, days) in enumerate(
            [("created", None, None, 0), ("NumberOfEmployees", 5 * n, 10 * n, 10)][: 2 - n % 2]
        )
    ]  # fmt: skip


def hubspot() -> Tables:
    """Contacts with a life cycle, a revenue since day 30, and e-mail; 7 was merged into 8; a deal has two contacts."""
    merged = {8: "7"}
    return {
        "contact": [
            {
                "id": n, "_fivetran_deleted": "false", "property_createdate": at(n),
                "property_email": f"p{n}@Example.com", "property_jobtitle": "Buyer", "property_annualrevenue": 1000 * n,
                "property_hs_merged_object_ids": merged.get(n),
            }
            for n in range(1, LEADS)
        ],
        "contact_property_history": [
            {"contact_id": n, "timestamp": at(n + days), "name": name, "value": value}
            for n in range(1, LEADS) if n != 7
            for name, value, days in [
                ("lifecyclestage", "lead", 0), ("jobtitle", "Buyer", 0), ("annualrevenue", 1000 * n, 30),
            ]
            + ([("lifecyclestage", "salesqualifiedlead", 8)] if n % 4 == 0 else [])
        ],
        "email_event": [
            {
                "id": f"e{n}-{kind}", "created": at(n + 1), "type": kind, "filtered_event": "false",
                "recipient": f"P{n}@example.com",
            }
            for n in range(1, LEADS) if n != 7 for kind in ("DELIVERED", "OPEN", "CLICK")
        ],
        "engagement_call": [{"engagement_id": 900 + n, "property_hs_timestamp": at(n + 2)} for n in range(1, LEADS, 3)],
        "engagement_meeting": [{"engagement_id": 800, "start_time": at(20)}],
        "engagement_contact": [{"contact_id": n, "engagement_id": 900 + n} for n in range(1, LEADS, 3) if n != 7]
        + [{"contact_id": 9, "engagement_id": 800}, {"contact_id": 10, "engagement_id": 800}],
        "deal": [
            {
                "deal_id": 5000 + n, "is_deleted": "false", "deal_pipeline_stage_id": stage, "property_amount": 100 * n,
                "property_closedate": at(n + 40),
            }
            for n, stage in ((4, "w"), (8, "l"), (12, "o"))
        ],
        "deal_contact": [{"contact_id": n, "deal_id": 5000 + d} for n, d in ((4, 4), (5, 4), (8, 8), (12, 12))],
        "deal_pipeline_stage": [
            {"stage_id": "w", "closed_won": "TRUE", "is_closed": "TRUE"},
            {"stage_id": "l", "closed_won": "FALSE", "is_closed": "TRUE"},
            {"stage_id": "o", "closed_won": "FALSE", "is_closed": "FALSE"},
        ],
    }  # fmt: skip


def marketo() -> Tables:
    """Leads with e-mail, a life cycle and job titles; 3 was merged into 4, whose opens it had made; 5 was deleted."""
    opened = [{"id": 100 + n, "lead_id": n, "activity_date": at(n + 2)} for n in range(1, LEADS)]
    return {
        "lead": [{"id": n, "created_at": at(n), "updated_at": at(90)} for n in range(1, LEADS)],
        "activity_open_email": opened,
        "activity_click_email": [{**row, "id": 200 + row["lead_id"]} for row in opened[::2]],  # type: ignore[operator]
        "activity_unsubscribe_email": [{"id": 300, "lead_id": 6, "activity_date": at(30)}],
        "activity_email_delivered": [{**row, "id": 400 + row["lead_id"]} for row in opened],  # type: ignore[operator]
        "activity_merge_leads": [{"id": 500, "lead_id": 4, "merge_ids": "[3]", "activity_date": at(50)}],
        "activity_change_data_value": [
            {
                "id": 600 + n, "lead_id": n, "activity_date": at(n + 9), "primary_attribute_value": field,
                "old_value": "Buyer" if field == "Job Title" else None, "new_value": value,
            }
            for n in range(1, LEADS)
            for field, value in [
                ("Lifecycle Status", "SQL") if n % 4 == 0 else ("Job Title", "VP") if n % 2 else ("Company", "Acme")
            ]
        ],
        "activity_delete_lead": [{"id": 700, "lead_id": 5, "activity_date": at(60)}],
    }  # fmt: skip


TABLES = {"salesforce": salesforce, "hubspot": hubspot, "marketo": marketo}
