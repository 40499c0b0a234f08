"""Exports of well-known systems are recognised by their columns' names, as screens and as APIs spell them."""

import pytest

from data.drafting.commands import draft_from
from data.drafting.crm_shapes import crm_shapes, recognised
from data.words.playbook import load_playbook
from tests.data.company import imported
from tests.data.drafting import crm_exports

SYSTEMS = {
    "Salesforce leads": ["Lead ID", "Created Date", "Lead Source", "Converted", "Converted Date"],
    "Salesforce leads of a connector": [
        "id",
        "_fivetran_synced",
        "created_date",
        "is_converted",
        "converted_opportunity_id",
    ],
    "Salesforce leads of the API": ["Id", "CreatedDate", "IsConverted", "ConvertedDate", "LeadSource"],
    "Salesforce tasks": ["Id", "WhoId", "Subject", "Status", "ActivityDate", "TaskSubtype"],
    "HubSpot contacts": ["Record ID", "Create Date", "Lifecycle Stage", "Contact owner", "Email"],
    "HubSpot contacts of a connector": ["id", "property_createdate", "property_email", "property_lifecyclestage"],
    "HubSpot contacts of the API": ["id", "properties.createdate", "properties.email", "properties.lifecyclestage"],
    "HubSpot deals": ["Record ID", "Deal Stage", "Close Date", "Associated Contact IDs", "Amount"],
    "Pipedrive deals": ["Deal - ID", "Deal - Title", "Deal - Deal created", "Deal - Status"],
    "Pipedrive deals of the API": ["id", "title", "add_time", "stage_id", "status", "won_time", "lost_time"],
    "Odoo leads": ["id", "create_date", "stage_id", "user_id", "expected_revenue"],
    "Odoo leads of the screen": ["External ID", "Created on", "Stage", "Salesperson", "Expected Revenue"],
    "Marketo activities": ["marketoGUID", "leadId", "activityDate", "activityTypeId", "campaignId"],
    "Marketo leads": ["id", "created_at", "updated_at", "email", "first_name", "last_name"],
    "Dynamics leads": ["leadid", "createdon", "statecode", "statuscode", "leadsourcecode"],
    "Dynamics leads of the screen": ["(Do Not Modify) Lead", "Created On", "Status Reason", "Owner"],
    "Dynamics opportunities": ["opportunityid", "originatingleadid", "statecode", "actualclosedate"],
}


@pytest.mark.parametrize("table", SYSTEMS)
def test_a_table_is_recognised_by_its_columns(table):
    found = recognised(SYSTEMS[table])
    system, holds = table.split()[:2]
    assert found is not None
    assert (found.system, found.table.rpartition("_")[2]) in {(system, holds), (system, "lead")}


def test_a_table_of_no_known_system_is_not_recognised():
    assert recognised(["lead_id", "created_at", "industry"]) is None
    assert recognised(["id", "name"]) is None


def test_there_is_a_shape_for_each_of_six_systems():
    known = {shape.name for shape in crm_shapes()}
    assert known == {"Dynamics", "HubSpot", "Marketo", "Odoo", "Pipedrive", "Salesforce"}


def test_each_table_that_holds_something_says_where_its_leads_are():
    tables = {f"{shape.name} {name}": table for shape in crm_shapes() for name, table in shape.tables.items()}
    kept = {name: table for name, table in tables.items() if table.holds != "nothing"}
    assert [name for name, table in kept.items() if "lead_id" not in table.columns] == []
    assert [name for name, table in tables.items() if table.holds == "nothing" and not table.why] == []


def drafted(folder, files):
    """Write files, draft a playbook for them, and load it."""
    exports = folder / "exports"
    exports.mkdir()
    for name, content in files.items():
        (exports / name).write_text(content, encoding="utf-8")
    result = draft_from(sorted(exports.iterdir()), out=folder / "acme")
    return load_playbook(folder / "acme"), result


def source(playbook, file):
    return next(each for each in playbook.business.sources if each.file == file)


def test_hubspot_contacts_and_activities_become_a_history(tmp_path):
    playbook, _ = drafted(tmp_path, crm_exports.hubspot())
    leads, activities = source(playbook, "all-contacts.csv"), source(playbook, "activities.csv")
    assert (leads.holds, leads.columns.lead_id, leads.columns.created_at) == ("leads", "Record ID", "Create Date")
    assert leads.outcome.stages == {"Customer": "customer"}
    assert leads.outcome.reached_at == "Became a Customer Date"
    assert activities.columns.lead_id == "Contact ID"
    assert playbook.business.goal.stage == "customer"
    assert imported(playbook, now_us=None).rows == {"leads": 60, "activities": 180, "outcomes": 20}


def test_what_hubspot_writes_later_or_counts_on_is_not_used(tmp_path):
    """Page views are those of today; the owner and the status come with the work on a lead; names are private."""
    playbook, result = drafted(tmp_path, crm_exports.hubspot())
    usable = set(playbook.business.attributes) - set(playbook.business.never_use)
    assert usable == {"country_region", "original_source", "industry", "number_of_employees"}
    assert "lead_status" in playbook.business.never_use
    assert any("Number of Pageviews" in decision.about for decision in result.undecided)
    text = (playbook.path / "playbook.yaml").read_text(encoding="utf-8")
    assert "# not used: First Name, Last Name, Email, Phone Number: about one person" in text


def test_salesforce_ids_of_15_and_18_characters_join_by_their_rule(tmp_path):
    playbook, _ = drafted(tmp_path, crm_exports.salesforce())
    assert playbook.business.ids == "salesforce"
    leads, tasks = source(playbook, "leads.csv"), source(playbook, "tasks.csv")
    assert leads.outcome.model_dump(exclude_none=True) == {
        "column": "Converted",
        "stages": {True: "converted"},
        "reached_at": "Converted Date",
    }
    assert (tasks.columns.lead_id, tasks.columns.kind) == ("lead", "Task Subtype")
    assert tasks.derived["lead"][0].column == "Who ID"
    assert tasks.kinds == {"Call": "call", "Email": "email", "ListEmail": "email", "Task": "task"}
    assert set(playbook.business.attributes) - set(playbook.business.never_use) == {
        *("country", "source", "employees"),
    }


def test_pipedrive_deals_are_leads(tmp_path):
    playbook, _ = drafted(tmp_path, crm_exports.pipedrive())
    deals, activities = source(playbook, "deals.csv"), source(playbook, "activities.csv")
    assert (deals.columns.lead_id, deals.columns.account_id) == ("Deal - ID", "Deal - Organization ID")
    assert deals.outcome.stages == {"won": "won", "lost": "lost"}
    assert activities.columns.lead_id == "Activity - Deal ID"
    assert playbook.business.goal.stage == "won"
    assert set(playbook.business.attributes) - set(playbook.business.never_use) == {"source_channel"}
    assert imported(playbook, now_us=None).rows == {"leads": 60, "activities": 120, "outcomes": 40}


def test_a_table_that_joins_no_lead_is_left_out_and_says_so(tmp_path):
    contacts = "Task ID,Who ID,Task Subtype,Status,Subject,Completed Date/Time\n" + "".join(
        f"00T{n:012},003B00000Q{n:05},Call,Completed,Hello,2025-10-0{n + 1} 10:00\n" for n in range(9)
    )
    playbook, result = drafted(tmp_path, {**crm_exports.salesforce(), "contact_tasks.csv": contacts})
    assert [each.file for each in playbook.business.sources] == ["leads.csv", "tasks.csv"]
    [left_out] = [each for each in result.files if each.holds == "nothing"]
    assert left_out.why == "0 of 9 Who ID meet a lead: they begin with 003, the leads' ids with 00Q"


def test_odoo_leads_and_messages_become_a_history(tmp_path):
    playbook, _ = drafted(tmp_path, crm_exports.odoo())
    leads, messages = source(playbook, "crm_lead.csv"), source(playbook, "mail.csv")
    assert leads.outcome.stages == {"Won": "won"}
    assert (leads.columns.account_id, messages.columns.lead_id) == ("partner_id", "res_id")
    assert set(playbook.business.attributes) - set(playbook.business.never_use) == {"source_id"}
    assert imported(playbook, now_us=None).rows == {"leads": 60, "activities": 120, "outcomes": 20}


def test_the_numbers_of_marketo_activities_are_read_in_words(tmp_path):
    """What the system itself logs, such as a changed value, is ignored; an open deal's close date is a plan."""
    playbook, _ = drafted(tmp_path, crm_exports.marketo())
    activities, deals = source(playbook, "activities.csv"), source(playbook, "opportunities.csv")
    assert activities.kinds == {"1": "page_view", "10": "email_open", "11": "email_click", "2": "form_submission"}
    assert activities.ignore == ("13",)
    assert (deals.stages, deals.ignore) == ({"Closed Won": "won", "Closed Lost": "lost"}, ("Open",))
    assert imported(playbook, now_us=None).rows == {"leads": 60, "activities": 240, "outcomes": 20}
