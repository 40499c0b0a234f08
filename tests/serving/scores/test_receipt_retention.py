"""Receipts grow thinner with age and end; those behind handovers and the newest of each lead stay."""

import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from serving.scores.receipt_retention import DAY_US, ReceiptRetention, receipt_counts
from serving.store.database import Database
from serving.store.tables import leads, receipts, routes, scores
from tests.serving.conftest import NOON

KEEP_DAYS = 150
AGES = st.lists(st.integers(0, 200 * 24), unique=True, min_size=1, max_size=40)  # hours before noon


def receipt(age_h, lead_id="L-1"):
    fixed = {"role": "champion", "scorer": "f", "points": 1.0, "threshold": 60.0, "content_hash": "h"}
    row = {"receipt_id": f"{lead_id} {age_h}", "lead_id": lead_id, "as_of": NOON - age_h * DAY_US // 24}
    return {**fixed, **row, "feature_values": "[]", "content": "{}"}


def kept_of(database):
    with database.reading() as connection:
        return {row.as_of for row in connection.execute(select(receipts.c.as_of))}


def should_stay(as_of, all_of, routed_at):
    """Return whether a receipt stays, by the rule as the settings page words it."""
    behind = max((each for each in all_of if each <= routed_at), default=None)
    if as_of in {behind, max(all_of)}:
        return True
    if as_of < NOON - KEEP_DAYS * DAY_US:
        return False
    age = NOON - as_of
    period = 28 * DAY_US if age > 90 * DAY_US else 7 * DAY_US if age > 30 * DAY_US else 1
    return not any(each > as_of and each // period == as_of // period for each in all_of)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def database(request, tmp_path_factory):
    if request.param == "sqlite":
        path = shutil.copy(request.getfixturevalue("template_file"), tmp_path_factory.mktemp("receipts"))
        database = Database(str(path))
    else:
        database = Database(request.getfixturevalue("postgres").fresh(request.getfixturevalue("template")))
    yield database
    database.close()


@settings(max_examples=50)
@given(ages=AGES, routed_age=st.integers(0, 200 * 24))
def test_what_stays_is_what_the_rule_says(database, ages, routed_age):
    rows = [receipt(age) for age in ages]
    all_of = {row["as_of"] for row in rows}
    routed_at = NOON - routed_age * DAY_US // 24
    with database.writing() as connection:
        for table in (routes, scores, receipts, leads):
            connection.execute(table.delete())
        connection.execute(insert(leads).values(lead_id="L-1"))
        connection.execute(insert(receipts), rows)
        newest = max(rows, key=lambda row: row["as_of"])
        score = {"lead_id": "L-1", "as_of": NOON, "points": 1.0, "score": 1, "grade": "D", "scorer": "f"}
        connection.execute(insert(scores).values(**score, receipt_id=newest["receipt_id"]))
        route = {"lead_id": "L-1", "points": 1.0, "score": 1, "grade": "D", "threshold": 0.0, "routed_at": routed_at}
        connection.execute(insert(routes).values(**route, reasons="[]", scorer="{}"))
    retention = ReceiptRetention(database, KEEP_DAYS)
    retention.step(NOON)
    assert kept_of(database) == {as_of for as_of in all_of if should_stay(as_of, all_of, routed_at)}
    retention.step(NOON)
    with database.reading() as connection:
        counts = receipt_counts(connection)
    assert counts.stored == len(kept_of(database))
    assert counts.oldest == min(kept_of(database))
