"""What the playbook forbids is read by nothing, and what sales writes to is known by its name."""

from dataclasses import replace
from pathlib import Path

import pytest

from data.words.playbook import load_playbook
from features.catalog import Catalog
from tests.training.gates.leakage.planted import attribute, counted, with_features
from training.gates.leakage.denied_fields import is_written_by_sales, never_use

PLAYBOOKS = Path(__file__).resolve().parents[4] / "data" / "playbooks"
WRITTEN = (
    "status",
    "stage",
    "owner",
    "lead_status",
    "lead_status_reason",
    "deal_stage",
    "lifecycle_stage",
    "stage_changed_at",
    "pipeline_stage",
    "owner_id",
    "lead_owner",
    "sales_owner_name",
    "assigned_to",
    "assigned_at",
    "assignee",
    "converted",
    "is_converted",
    "converted_at",
    "converted_account_id",
    "date_converted",
    "lead_converted_at",
    "closed",
    "is_closed",
    "closed_at",
    "closed_won",
    "closed_reason",
    "close_date",
    "won",
    "lost",
    "is_won",
    "won_at",
    "lost_reason",
    "deal_lost_reason",
    "disqualified_reason",
    "unqualified",
    "loss_reason",
    "last_modified",
    "last_modified_date",
    "last_modified_by",
    "modified_at",
    "last_updated",
    "updated_at",
    "system_modstamp",
)
INNOCENT = (
    "marital_status",
    "employment_status",
    "funding_stage",
    "company_stage",
    "home_owner",
    "business_owner",
    "owner_occupied",
    "lost_password",
    "award_won",
    "won_award",
    "password_lost",
    "stagecraft",
    "statuses",
    "visited_status_page",
    "closing_balance",
    "enclosed",
    "prequalified_leads_seen",
    "industry",
    "seniority",
    "country",
    "employees",
    "business_email",
    "amount_requested",
    "email_open",
    "demo_request",
    "call",
    "meeting",
    "offer_cancelled",
    "accepted",
    "finalized",
    "update_request",
    "page_view",
)


def with_attribute(playbook, name):
    industry = playbook.attributes["industry"]
    return playbook.model_copy(update={"attributes": {**playbook.attributes, name: industry}})


@pytest.mark.parametrize("name", WRITTEN)
def test_a_field_that_sales_writes_to_is_known_by_its_name(playbook, name):
    assert is_written_by_sales(name, playbook)
    assert is_written_by_sales(name.upper(), playbook)


@pytest.mark.parametrize("name", INNOCENT)
def test_a_name_that_only_sounds_alike_is_left_alone(playbook, name):
    assert not is_written_by_sales(name, playbook)


def test_the_goal_and_the_stages_that_close_a_lead_are_such_names_too(playbook):
    assert all(is_written_by_sales(name, playbook) for name in ("sql", "is_sql", "sql_at", "disqualified_reason"))
    assert not is_written_by_sales("mql", playbook)


@pytest.mark.parametrize("name", ["demo", "bpi2012"])
def test_no_playbook_of_ours_has_such_a_name_that_may_be_used(name):
    playbook = load_playbook(PLAYBOOKS / name).business
    usable = {*playbook.attributes, *playbook.activities} - set(playbook.never_use)
    assert [each for each in usable if is_written_by_sales(each, playbook)] == []


def test_a_clean_training_set_passes(dataset, playbook):
    found = never_use(dataset, playbook)
    assert found.passed
    assert "lead_status, which never_use forbids" in found.says


@pytest.mark.parametrize("name", ["lead_owner", "lost_reason", "stage"])
def test_an_attribute_with_such_a_name_is_caught(dataset, playbook, name):
    planted = with_features(dataset, {attribute(name, "category"): "anna"})
    found = never_use(planted, with_attribute(playbook, name))
    assert not found.passed
    assert found.says == f"By its name, {name} is written by the sales process: put it on never_use."


def test_such_an_attribute_that_no_feature_reads_is_no_leak(dataset, playbook):
    assert never_use(dataset, with_attribute(playbook, "lead_owner")).passed


def with_kind(playbook, name):
    return playbook.model_copy(update={"activities": {**playbook.activities, name: playbook.activities["call"]}})


def test_a_kind_with_such_a_name_is_caught_though_it_has_no_feature_of_its_own(dataset, playbook):
    """Features of any activity count it."""
    closing = with_kind(playbook, "closed_won")
    found = never_use(dataset, closing)
    assert not found.passed
    assert "By its name, closed_won is written" in found.says
    denied = closing.model_copy(update={"never_use": (*closing.never_use, "closed_won")})
    everywhere = denying(dataset, "closed_won")
    assert never_use(everywhere, denied).passed


def denying(dataset, kind):
    def with_denied(catalog):
        return Catalog(catalog.features, (*catalog.never_use, kind))

    card = replace(dataset.scorecard, catalog=with_denied(dataset.scorecard.catalog))
    return replace(dataset, catalog=with_denied(dataset.catalog), scorecard=card)


@pytest.mark.parametrize("feature", [attribute("lead_status", "category"), counted("fax")])
def test_a_feature_that_reads_what_is_forbidden_is_caught(dataset, playbook, feature):
    name = feature.name.removesuffix("_30d")
    forbidding = with_kind(playbook, "fax").model_copy(update={"never_use": ("lead_status", "fax")})
    planted = with_features(denying(dataset, "fax"), {feature: 0})
    found = never_use(planted, forbidding)
    assert not found.passed
    assert f"{name} is on never_use, but {feature.name} reads it" in found.says


def test_features_of_any_activity_that_count_a_forbidden_kind_are_caught(dataset, playbook):
    forbidding = with_kind(playbook, "fax").model_copy(update={"never_use": ("lead_status", "fax")})
    found = never_use(dataset, forbidding)
    assert not found.passed
    assert found.says.startswith("fax is on never_use, but any_1d, any_7d")
