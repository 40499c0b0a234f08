"""Small exports as people save them from the screens of well-known systems; made up, and small enough to read."""

from datetime import UTC, datetime, timedelta

LEADS = 60
START = datetime(2025, 9, 1, 8, tzinfo=UTC)
_COUNTRIES = ("Germany", "Austria", "Norway")
_SOURCES = ("Organic Search", "Paid Social", "Referrals", "Offline Sources")
_INDUSTRIES = ("COMPUTER_SOFTWARE", "RETAIL", "BANKING", "EDUCATION_MANAGEMENT")


def _at(lead, days=0.0, hours=0):
    return START + timedelta(days=lead + days, hours=hours)


def _iso(instant):
    return instant.strftime("%Y-%m-%d %H:%M")


def _table(header, rows, delimiter=","):
    lines = [delimiter.join(header), *(delimiter.join(map(str, row)) for row in rows)]
    return "\n".join(lines) + "\n"


def hubspot(write=_iso):
    """Contacts that became customers, and their activities with the contact's Record ID."""
    contacts = [
        (
            *(5001 + n, f"First{n}", f"Last{n}", f"person{n}@example.com", f"+49 30 {1000 + n}", write(_at(n))),
            *(_COUNTRIES[n % 3], _SOURCES[n % 4], _INDUSTRIES[n % 4], 10 * (1 + n * 7 % 40), n * 3 % 50),
            "Customer" if n % 3 == 0 else "Lead",
            write(_at(n, 12)) if n % 3 == 0 else "",
            *("Anna Owner", "Connected" if n % 2 else "New", write(_at(n, 20)), f"Company {n}"),
        )
        for n in range(LEADS)
    ]
    header = (
        *("Record ID", "First Name", "Last Name", "Email", "Phone Number", "Create Date", "Country/Region"),
        *("Original Source", "Industry", "Number of Employees", "Number of Pageviews", "Lifecycle Stage"),
        *("Became a Customer Date", "Contact owner", "Lead Status", "Last Activity Date", "Company Name"),
    )
    kinds = ("Call", "Meeting", "Email", "Form submission")
    activities = [
        (f"{lead}0{n}", kinds[(lead + n) % 4], write(_at(lead, 1 + n, hours=2)), 5001 + lead)
        for lead in range(LEADS)
        for n in range(3)
    ]
    activity_header = ("Engagement ID", "Activity type", "Activity date", "Contact ID")
    return {"all-contacts.csv": _table(header, contacts), "activities.csv": _table(activity_header, activities)}


def salesforce():
    """Leads with their conversion, and tasks that name them by the short form of their ids."""
    ids = [f"00Q5A00001OV{chr(65 + n // 26)}{chr(97 + n % 26)}l" for n in range(LEADS)]
    leads = [
        (
            *(_full(ids[n]), f"First{n}", f"Last{n}", f"p{n}@example.org", _iso(_at(n)), _COUNTRIES[n % 3]),
            *(("Web", "Trade Show", "Partner")[n % 3], 20 + n * 11 % 500, "Hot" if n % 4 == 0 else "Warm", "Ben Rep"),
            *(("Qualified", "true", _iso(_at(n, 9))) if n % 4 == 0 else ("Open", "false", "")),
        )
        for n in range(LEADS)
    ]
    header = (
        *("Lead ID", "First Name", "Last Name", "Email", "Created Date", "Country", "Lead Source"),
        *("No. of Employees", "Rating", "Lead Owner", "Lead Status", "Converted", "Converted Date"),
    )
    tasks = [
        (
            f"00T5A0000{n:02}{lead:02}AA",
            ids[lead],
            ("Call", "Email")[n],
            "Completed",
            _iso(_at(lead, 2 + n)),
            "Follow up",
        )
        for lead in range(LEADS)
        for n in range(2)
    ]
    task_header = ("Task ID", "Who ID", "Task Subtype", "Status", "Completed Date/Time", "Subject")
    return {"leads.csv": _table(header, leads), "tasks.csv": _table(task_header, tasks)}


def _full(short):
    """Return the form of 18 characters of a Salesforce id of 15."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
    blocks = [short[first : first + 5] for first in (0, 5, 10)]
    return short + "".join(letters[sum(1 << place for place, c in enumerate(b) if c.isupper())] for b in blocks)


def pipedrive():
    """Deals with their status, and activities that name the deal; semicolons between cells."""
    deals = [
        (
            *(n + 1, f"Deal {n}", 1000 + 10 * n, "EUR", f"Person {n}", 900 + n % 17, _iso(_at(n))),
            *(("Webforms", "Prospector", "Import")[n % 3], ("Qualified", "Demo Scheduled", "Proposal Made")[n % 3]),
            *(("won", "lost", "open")[n % 3], "" if n % 3 == 2 else _iso(_at(n, 15)), 3 + n % 9, "Cleo Rep"),
        )
        for n in range(LEADS)
    ]
    header = (
        *("Deal - ID", "Deal - Title", "Deal - Value", "Deal - Currency of Value", "Deal - Contact person"),
        *("Deal - Organization ID", "Deal - Deal created", "Deal - Source channel", "Deal - Stage", "Deal - Status"),
        *("Deal - Deal closed on", "Deal - Total activities", "Deal - Owner"),
    )
    activities = [
        (100 * lead + n, ("Call", "Meeting")[n], lead + 1, _iso(_at(lead, 3 + n)), f"Subject {n}")
        for lead in range(LEADS)
        for n in range(2)
    ]
    activity_header = (
        *("Activity - ID", "Activity - Type", "Activity - Deal ID"),
        *("Activity - Due date", "Activity - Subject"),
    )
    return {"deals.csv": _table(header, deals, ";"), "activities.csv": _table(activity_header, activities, ";")}


def odoo():
    """Leads with external ids and their stage, and messages about them."""
    stages = ("New", "Qualified", "Won")
    leads = [
        (
            *(f"__export__.crm_lead_{n}", _iso(_at(n)), f"Lead {n}", stages[n % 3], "Mitchell", 1000 + n),
            *((10, 40, 100)[n % 3], f"P{n % 20}", ("Website", "Phone", "Event")[n % 3]),
            _iso(_at(n, 20)) if n % 3 == 2 else "",
        )
        for n in range(LEADS)
    ]
    header = ("id", "create_date", "name", "stage_id", "user_id", "expected_revenue", "probability", "partner_id")
    messages = [(n, f"__export__.crm_lead_{n % LEADS}", _iso(_at(n % LEADS, 2)), "email") for n in range(2 * LEADS)]
    return {
        "crm_lead.csv": _table((*header, "source_id", "date_closed"), leads),
        "mail.csv": _table(("id", "res_id", "date", "message_type"), messages),
    }


def marketo():
    """Leads, a bulk extract of activities by their numbers, and opportunities that name the lead."""
    kinds = (1, 10, 11, 2, 13)
    leads = [
        (1000 + n, _iso(_at(n)), _iso(_at(n, 50)), f"p{n}@example.com", "Ann", ("web", "event")[n % 2], n)
        for n in range(LEADS)
    ]
    header = ("id", "created_at", "updated_at", "email", "first_name", "lead_source", "lead_score")
    activities = [(f"{n}_{kind}", 1000 + n, _iso(_at(n, 1)), kind, 7) for n in range(LEADS) for kind in kinds]
    activity_header = ("marketoGUID", "leadId", "activityDate", "activityTypeId", "campaignId")
    stages = ("Closed Won", "Closed Lost", "Open")
    deals = [(f"O{n}", 1000 + n, stages[n % 3], _iso(_at(n, 30)), n * 100) for n in range(0, LEADS, 2)]
    deal_header = ("opportunity_id", "lead_id", "stage", "close_date", "amount")
    return {
        "leads.csv": _table(header, leads),
        "activities.csv": _table(activity_header, activities),
        "opportunities.csv": _table(deal_header, deals),
    }
