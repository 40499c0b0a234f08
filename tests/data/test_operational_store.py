"""The service's store is read as it is at one moment, the same on SQLite and on PostgreSQL."""

import sqlite3

import pyarrow.parquet as pq
import pytest

from data.arrow_schemas import ACTIVITY_COLUMNS, OUTCOME_COLUMNS, lead_schema
from data.contract import AttributeType
from data.errors import IntakeError
from data.operational_store import NEWEST_STEP, OperationalStore
from data.store_copy import Shape, copy_facts
from serving.store.schema_version import NEWEST
from tests.data.stores import AT, HOUR_US, activity, change, fill, merged, outcome, version

SHAPE = Shape({"size": AttributeType.NUMERIC, "country": AttributeType.CATEGORY, "vip": AttributeType.BOOLEAN})


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'leadscore.db'}"
    return request.getfixturevalue("postgres").fresh()


def copied(url, folder, **options):
    folder.mkdir()
    with OperationalStore(url).moment() as moment:
        counts = copy_facts(moment, folder, shape=options.pop("shape", SHAPE), **options)
    tables = {name: pq.read_table(folder / f"{name}.parquet") for name in counts}
    assert counts == {name: table.num_rows for name, table in tables.items()}
    return tables


def test_facts_have_the_columns_and_types_of_the_contract(url, tmp_path):
    fill(
        url,
        versions=[version("ann", account_id="A", size=5.0, vip=True), version("bob", country="NL")],
        activities=[activity("a-1", "ann", subject="pricing", value=2.5)],
        outcomes=[outcome("o-1", "bob", amount=10.0, reason="price")],
    )
    tables = copied(url, tmp_path / "out")
    assert tables["leads"].schema == lead_schema(SHAPE.attributes)
    assert (tables["activities"].schema, tables["outcomes"].schema) == (ACTIVITY_COLUMNS, OUTCOME_COLUMNS)
    leads = tables["leads"].to_pylist()
    assert [(row["lead_id"], row["account_id"], row["size"], row["country"], row["vip"]) for row in leads] == [
        ("ann", "A", 5.0, None, True),
        ("bob", None, None, "NL", None),
    ]
    assert tables["activities"]["known_at"].cast("int64").to_pylist() == [AT + HOUR_US]
    assert tables["activities"].to_pylist()[0]["subject"] == "pricing"
    assert tables["outcomes"].to_pylist()[0]["reason"] == "price"


def test_rows_lie_in_the_order_of_bytes_on_every_engine(url, tmp_path):
    """A database that sorts by a language would put small letters beside capital ones."""
    ids = ["b", "B", "a", "Ä", "_", "1", "é"]
    fill(url, versions=[version(one) for one in ids], activities=[activity(f"of {one}", one) for one in ids])
    tables = copied(url, tmp_path / "out")
    expected = sorted(ids, key=str.encode)
    assert tables["leads"]["lead_id"].to_pylist() == expected
    assert tables["activities"]["lead_id"].to_pylist() == expected


def test_equal_stores_give_equal_bytes(tmp_path, postgres):
    facts = {
        "versions": [version("ann", size=1 / 3, country="NL"), version("ann", AT + 1, vip=False), version("Bob")],
        "activities": [activity("a-1", "Bob", value=0.1), activity("a-2", "ann")],
        "outcomes": [outcome("o-1", "ann"), outcome("o-2", "Bob", AT + 9 * HOUR_US)],
        "merges": [merged("Bob", "ann", AT + HOUR_US)],
    }
    for name, url in (("one", str(tmp_path / "store.db")), ("two", postgres.fresh())):
        copied(fill(url, **facts), tmp_path / name)
    for table in ("leads", "activities", "outcomes"):
        first, second = ((tmp_path / name / f"{table}.parquet").read_bytes() for name in ("one", "two"))
        assert first == second, table


def test_only_the_asked_leads_are_read(url, tmp_path):
    ids = ["ann", "bob", "it's % {place}"]
    fill(url, versions=[version(one) for one in ids], activities=[activity(f"of {one}", one) for one in ids])
    tables = copied(url, tmp_path / "out", lead_ids=["it's % {place}", "ann", "nobody"])
    assert tables["activities"]["lead_id"].to_pylist() == ["ann", "it's % {place}"]


def test_a_merged_lead_shares_what_was_reached_after_the_merge(url, tmp_path):
    """Else whoever was merged would look like a lead that was lost; what was reached before the merge is not its."""
    at = AT + 2 * HOUR_US
    fill(
        url,
        versions=[version("ann"), version("twin")],
        outcomes=[outcome("early", "ann", at - 1), outcome("copy", "ann", at), outcome("late", "ann", at + 1)],
        merges=[merged("twin", "ann", at)],
    )
    outcomes = copied(url, tmp_path / "out")["outcomes"].to_pylist()
    assert [(row["lead_id"], row["outcome_id"]) for row in outcomes] == [
        ("ann", "early"),
        ("ann", "copy"),
        ("ann", "late"),
        ("twin", "late~twin"),
    ]


def test_what_is_written_meanwhile_is_not_seen(url):
    fill(url, versions=[version("ann")], activities=[activity("a-1", "ann")])
    with OperationalStore(url).moment() as moment:
        before = list(moment.facts("leads"))
        fill(url, versions=[version("bob")], activities=[activity("a-2", "bob")])
        assert [len(rows) for rows in moment.facts("activities")] == [1]
        assert list(moment.facts("leads")) == before


def test_a_store_is_only_read(url):
    fill(url, versions=[version("ann")])
    with pytest.raises(IntakeError), OperationalStore(url).moment() as moment:
        list(moment.rows("DELETE FROM lead_versions"))


def test_attributes_are_text_where_somebody_else_judges_their_type(url, tmp_path):
    fill(url, versions=[version("ann", size="big", vip=True, country="NL"), version("bob", size=0.1)])
    texts = copied(url, tmp_path / "said", shape=Shape(SHAPE.attributes, as_text=True))["leads"].to_pylist()
    assert [(row["size"], row["vip"], row["country"]) for row in texts] == [("big", "true", "NL"), ("0.1", None, None)]
    typed = copied(url, tmp_path / "typed")["leads"].to_pylist()
    assert [(row["size"], row["vip"]) for row in typed] == [(None, True), (0.1, None)]


def test_a_store_that_is_none_is_refused_in_one_sentence(tmp_path):
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE leads (x)")
    connection.close()
    (tmp_path / "text.db").write_text("this is text and no database " * 50)
    for name, message in {
        "none.db": "There is no store at",
        "other.db": "is not a leadscore store",
        "text.db": "cannot be read as a store",
    }.items():
        with pytest.raises(IntakeError, match=message), OperationalStore(str(tmp_path / name)).moment():
            pass


def test_a_postgres_that_does_not_answer_is_told_without_its_password():
    store = OperationalStore("postgresql+psycopg://sales:secret@127.0.0.1:1/leads?connect_timeout=2")
    with pytest.raises(IntakeError, match=r"postgresql://127.0.0.1:1/leads cannot be read") as refused, store.moment():
        pass
    assert "secret" not in str(refused.value)


def test_a_store_of_a_newer_release_is_refused(url):
    fill(url, versions=[version("ann")])
    change(url, f"UPDATE alembic_version SET version_num = '{NEWEST_STEP + 1}'")
    with pytest.raises(IntakeError, match="newer leadscore"), OperationalStore(url).moment():
        pass


def test_the_newest_step_is_understood():
    assert int(NEWEST) == NEWEST_STEP
