"""A draft takes nine in ten decisions as the person did who wrote the shipped playbooks, and `check` accepts it."""

from pathlib import Path

import pytest

from data.drafting.commands import draft_from
from data.simulation import simulate
from data.words.playbook import load_playbook
from tests.data.company import imported
from tests.data.simulated import UNTIL

AS_A_PERSON = 0.9
DEMO = {
    "leads.parquet: holds": "leads",
    "leads.parquet: lead_id": "lead_id",
    "leads.parquet: account_id": "account_id",
    "leads.parquet: created_at": "created_at",
    "leads.parquet: known_at": "known_at",
    "web.csv.gz: holds": "activities",
    "web.csv.gz: activity_id": "event_id",
    "web.csv.gz: lead_id": "visitor",
    "web.csv.gz: kind": "event",
    "web.csv.gz: occurred_at": "at",
    "web.csv.gz: known_at": "received_at",
    "web.csv.gz: subject": "page",
    "web.csv.gz: value": "seconds",
    "web.csv.gz: kind view": "page_view",
    "web.csv.gz: kind bot_view": "bot_view",
    "web.csv.gz: kind webinar": "webinar",
    "web.csv.gz: kind trial": "trial_start",
    "web.csv.gz: kind trial_login": "trial_use",
    "email.jsonl: holds": "activities",
    "email.jsonl: activity_id": "id",
    "email.jsonl: lead_id": "recipient",
    "email.jsonl: kind": "type",
    "email.jsonl: occurred_at": "ts",
    "email.jsonl: known_at": "logged_at",
    "email.jsonl: subject": "campaign",
    "email.jsonl: kind open": "email_open",
    "email.jsonl: kind click": "email_click",
    "email.jsonl: kind reply": "email_reply",
    "email.jsonl: kind unsubscribe": "unsubscribe",
    "sales.csv: holds": "activities",
    "sales.csv: activity_id": "activity_id",
    "sales.csv: lead_id": "lead_id",
    "sales.csv: kind": "activity",
    "sales.csv: occurred_at": "occurred_at",
    "sales.csv: known_at": "known_at",
    "sales.csv: value": "minutes",
    "sales.csv: kind Call": "call",
    "sales.csv: kind Meeting": "meeting",
    "sales.csv: kind Demo requested": "demo_request",
    "outcomes.csv: holds": "outcomes",
    "outcomes.csv: outcome_id": "outcome_id",
    "outcomes.csv: lead_id": "lead_id",
    "outcomes.csv: stage": "stage",
    "outcomes.csv: reached_at": "reached_at",
    "outcomes.csv: known_at": "known_at",
    "outcomes.csv: amount": "amount",
    "outcomes.csv: reason": "reason",
    "attribute industry": "category",
    "attribute seniority": "category",
    "attribute function": "category",
    "attribute source": "category",
    "attribute country": "category",
    "attribute employees": "numeric",
    "attribute business_email": "boolean",
    "attribute lead_status": "category",
    "timezone": "Europe/Berlin",
    "goal": "sql",
    "horizon_days": 30,
    "amount_from": "opportunity",
    "closed_by": {"won", "lost", "disqualified"},
    "final": {"sql", "won"},
    "opens again": {"demo_request", "trial_start", "meeting"},
    "stages": {"mql", "srl", "sql", "opportunity", "won", "lost", "disqualified"},
    "never_use": {"lead_status"},
    "segments": {"industry", "source"},
    "account": True,
}
_NAMES = {"approved": "A_APPROVED", "declined": "A_DECLINED", "cancelled": "A_CANCELLED"}
BPI2012 = {
    "financial_log.xes.gz: holds": "event_log",
    "financial_log.xes.gz: lead_id": "case:concept:name",
    "financial_log.xes.gz: account_id": None,
    "financial_log.xes.gz: kind": ["concept:name", "lifecycle:transition"],
    "financial_log.xes.gz: occurred_at": "time:timestamp",
    "financial_log.xes.gz: subject": None,
    "financial_log.xes.gz: value": None,
    **{f"financial_log.xes.gz: outcome {word}|COMPLETE": stage for stage, word in _NAMES.items()},
    "goal": "approved",
    "horizon_days": 45,
    "amount_from": None,
    "closed_by": {"approved", "declined", "cancelled"},
    "final": {"approved", "declined", "cancelled"},
    "opens again": set(),
    "stages": {"approved", "declined", "cancelled"},
    "columns of attributes": {"case:AMOUNT_REQ"},
    "words never used": {f"{word}|COMPLETE" for word in ("A_REGISTERED", "A_ACTIVATED", "O_ACCEPTED", "O_DECLINED")}
    | {"W_Wijzigen contractgegevens|SCHEDULE"},
    "segments": set(),
    "account": False,
    "timezone": "Europe/Amsterdam",
    "capacity_per_day": 25,
}


def decided(business):
    """Return the decisions that a playbook holds, one by one."""
    found = {"timezone": business.timezone, "capacity_per_day": business.capacity_per_day, "kinds": {}}
    for source in business.sources:
        found[f"{source.file}: holds"] = source.holds
        found |= {f"{source.file}: {role}": column for role, column in source.columns.model_dump().items()}
        words = getattr(source, "kinds", None) or {}
        found |= {f"{source.file}: kind {word}": kind for word, kind in words.items()}
        found |= {
            f"{source.file}: outcome {word}": stage for word, stage in (getattr(source, "outcomes", None) or {}).items()
        }
        found["kinds"] |= {kind: word for word, kind in words.items()}
    found |= {f"attribute {name}": attribute.type.value for name, attribute in business.attributes.items()}
    found["columns of attributes"] = set((business.sources[0].attributes or {}).values())
    goal = business.goal
    found |= {"goal": goal.stage, "horizon_days": goal.horizon_days, "amount_from": goal.amount_from}
    found |= {"closed_by": set(business.closed_by), "stages": set(business.stages)}
    found |= {"final": business.final_stages, "opens again": business.reopening_kinds}
    found |= {"never_use": set(business.never_use), "segments": set(business.segments)}
    found["words never used"] = {found["kinds"].get(name, name) for name in business.never_use}
    return {**found, "account": business.features.account}


def differing(business, expected):
    """Return the decisions that a person took in another way."""
    found = decided(business)
    return {about: (found.get(about), wanted) for about, wanted in expected.items() if found.get(about) != wanted}


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """The exports of a simulated company, and the playbook drafted from them."""
    root = tmp_path_factory.mktemp("simulated")
    simulate(root / "exports", leads=700, seed=7, until=UNTIL)
    files = [
        root / "exports" / name for name in ("outcomes.csv", "leads.parquet", "web.csv.gz", "email.jsonl", "sales.csv")
    ]
    result = draft_from(files, out=root / "acme")
    return load_playbook(root / "acme"), result


def test_the_table_is_what_the_shipped_playbook_says():
    """The expected decisions are those of the person who wrote the demo's playbook."""
    assert differing(load_playbook(Path("data/playbooks/demo")).business, DEMO) == {}


def test_the_simulated_company_is_drafted_as_a_person_would(simulated):
    playbook, _ = simulated
    others = differing(playbook.business, DEMO)
    assert len(others) <= (1 - AS_A_PERSON) * len(DEMO), others
    assert set(others) <= {"timezone", "horizon_days"}


def test_check_accepts_the_draft_of_the_simulated_company(simulated):
    playbook, _ = simulated
    warehouse = imported(playbook, now_us=None)
    assert warehouse.rows["leads"] > 0
    assert {violation.rule for violation in warehouse.quality.violations} <= {"repeated"}


def test_what_the_files_do_not_say_is_marked(simulated):
    """Nobody was asked: the goal, the capacity and the time zone are for a person to decide."""
    playbook, result = simulated
    assert {decision.about for decision in result.undecided} == {"goal: stage", "capacity_per_day", "timezone"}
    text = (playbook.path / "playbook.yaml").read_text(encoding="utf-8")
    assert text.count("# DECIDE: ") == len(result.undecided)


def test_a_comment_stands_beside_a_join(simulated):
    playbook, _ = simulated
    text = (playbook.path / "playbook.yaml").read_text(encoding="utf-8")
    assert "lead_id: visitor  # 100% of " in text
    assert " visitor meet a lead_id of leads.parquet" in text


@pytest.fixture(scope="module")
def loans(bpi2012, tmp_path_factory):
    """The playbook drafted from the real event log."""
    out = tmp_path_factory.mktemp("loans") / "loans"
    draft_from([bpi2012.exports_folder / "financial_log.xes.gz"], out=out)
    return load_playbook(out)


def test_the_table_is_what_the_playbook_of_the_real_log_says(bpi2012):
    assert differing(bpi2012.business, BPI2012) == {}


@pytest.mark.slow
def test_the_real_log_is_drafted_as_a_person_would(loans, bpi2012):
    drafted, written = decided(loans.business), decided(bpi2012.business)
    others = differing(loans.business, BPI2012)
    assert set(drafted["kinds"].values()) == set(written["kinds"].values())
    assert len(others) <= (1 - AS_A_PERSON) * (len(BPI2012) + len(written["kinds"])), others
    assert set(others) <= {"timezone", "horizon_days", "words never used"}


@pytest.mark.slow
def test_check_accepts_the_draft_of_the_real_log(loans):
    warehouse = imported(loans, now_us=None)
    assert warehouse.rows["leads"] == 13_087
    assert warehouse.quality.violations == ()
