"""Ids meet by the playbook's rule; damaged ones are refused, and those that nearly meet are named."""

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.reading.cells import macros
from data.reading.id_cells import in_one_form
from data.words.id_rules import NO_ID, has_wrong_checksum, in_form
from tests.data.company import ACTIVITIES, LEADS, company, imported, rows

SHORT, LONG = "00Q5A00001OVC9l", "00Q5A00001OVC9lUAH"
HEAD = "id,lead_id,kind,occurred_at\n"


@pytest.fixture(scope="module")
def connection():
    opened = duckdb.connect()
    for macro in macros("UTC"):
        opened.execute(f"CREATE MACRO {macro}")
    return opened


def in_sql(connection, rule, text):
    return connection.execute(f"SELECT id_{rule}(?)", [text]).fetchall()[0][0]


@pytest.mark.parametrize(
    ("rule", "written", "form"),
    [
        ("exact", "Ann ", "Ann "),
        ("trim", "\u00a0Ann\t", "Ann"),
        ("casefold", " ANN@Example.com ", "ann@example.com"),
        ("casefold", "STRASSE", "strasse"),
        ("casefold", "Straße", "strasse"),
        ("email", " Ann@Example.COM", "ann@example.com"),
        ("email", "mailto:ann@example.com?subject=Hi", "ann@example.com"),
        ("email", '"Lee, Ann" <Ann@example.com>', "ann@example.com"),
        ("salesforce", SHORT, LONG),
        ("salesforce", LONG, LONG),
        ("salesforce", LONG.replace("UAH", "uah"), LONG),
        ("salesforce", "001D000000IqhSL", "001D000000IqhSLIAZ"),  # from Salesforce's own documentation
        ("salesforce", "42", "42"),
    ],
)
def test_a_rule_brings_an_id_into_one_form(connection, rule, written, form):
    assert in_sql(connection, rule, written) == form


@given(short=st.text("abcXYZ012", min_size=15, max_size=15), at=st.integers(0, 14))
def test_the_checksum_tells_letter_case(connection, short, at):
    """An id and its long form are one; the same letters in another case are another id, and a damaged long form."""
    long = in_sql(connection, "salesforce", short)
    assert len(long) == 18
    assert in_sql(connection, "salesforce", long) == long
    swapped = short[:at] + short[at].swapcase() + short[at + 1 :]
    damaged = connection.execute("SELECT wrong_check(?)", [swapped + long[15:]]).fetchall()[0][0]
    assert damaged == (swapped != short)


RULES = ("exact", "trim", "casefold", "email", "salesforce")
_SIGNS = st.text("aBzZéÉßİΣς<>?@:09 \t\n\v\u00a0\u017f\u03c3\u200b\u0301\u1100\u1161", max_size=24)
_WORDS = st.sampled_from(
    [*NO_ID, "N/A", "mailto:", "MAILTO:ann@x.org?a=b", "Ann <ann@x.org>", SHORT, LONG, LONG.lower()]
)
ANY_ID = st.one_of(
    _SIGNS,
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=24),
    st.tuples(_SIGNS, _WORDS, _SIGNS).map("".join),
    st.text("abcXYZ012", min_size=15, max_size=18),
)


@pytest.mark.parametrize("rule", RULES)
@given(text=ANY_ID)
def test_an_id_has_the_same_form_in_a_file_and_over_the_api(connection, rule, text):
    """Files are read by SQL, requests by Python."""
    form, wrong = connection.execute(
        f"SELECT {in_one_form('t', rule)}, wrong_check(id_trim(t)) FROM (SELECT ? AS t)", [text]
    ).fetchall()[0]
    assert in_form(text, rule) == form
    assert has_wrong_checksum(text, rule) == (wrong and rule == "salesforce")


SIGNS = [chr(i) for i in range(1, 0x110000) if not 0xD800 <= i < 0xE000]


@pytest.mark.parametrize("rule", ["exact", "casefold"])
def test_every_sign_of_unicode_has_the_same_form_in_sql_and_in_python(connection, rule):
    """With zeros between them, with which no sign combines, many signs are compared at once."""
    texts = ["".join(f"0{sign}" for sign in SIGNS[first : first + 512]) + "0" for first in range(0, len(SIGNS), 512)]
    compared = f"SELECT t, {in_one_form('t', rule)} FROM (SELECT unnest(?) AS t)"
    forms = connection.execute(compared, [texts]).fetchall()
    assert len(forms) == len(texts)
    assert [text for text, form in forms if in_form(text, rule) != form] == []


def test_the_same_signs_of_unicode_are_blanks_in_sql_and_in_python(connection):
    blanks = connection.execute("SELECT t FROM (SELECT unnest(?) AS t) WHERE id_trim(t) = ''", [SIGNS]).fetchall()
    assert [sign for (sign,) in blanks] == [sign for sign in SIGNS if in_form(sign, "trim") is None and sign != "-"]


def found(warehouse):
    return {(each.rule, each.about): (each.count, each.mend) for each in warehouse.quality.violations}


def history(tmp_path, lead_ids, fact_ids, **says):
    leads = "lead_id,created_at\n" + "".join(f'"{each}",2026-01-01\n' for each in lead_ids)
    facts = HEAD + "".join(f'{at},"{each}",view,2026-02-01\n' for at, each in enumerate(fact_ids))
    return imported(company(tmp_path, {"leads.csv": leads, "web.csv": facts}, [LEADS, ACTIVITIES], **says))


@pytest.mark.parametrize(
    ("rule", "lead", "fact", "words"),
    [
        ("salesforce", LONG, SHORT, f"{SHORT} is the short form of {LONG}; it is such: say ids: salesforce"),
        ("casefold", "Ann@X.org", "ann@x.org", "ann@x.org differs only in letter case from Ann@X.org"),
        ("email", "ann@x.org", "Ann <ann@x.org>", "Ann <ann@x.org> is the same address as ann@x.org"),
        ("trim", "ann", "ann\u00a0", "differs only in blanks from ann"),
    ],
)
def test_ids_that_nearly_meet_a_lead_name_the_rule_by_which_they_do(tmp_path, rule, lead, fact, words):
    warehouse = history(tmp_path / "exact", [lead], [fact])
    assert words in found(warehouse)["orphan", "lead_id"][1]
    assert f"say ids: {rule} in playbook.yaml" in found(warehouse)["orphan", "lead_id"][1]
    named = history(tmp_path / "named", [lead], [fact], ids=rule)
    assert named.rows["activities"] == 1
    assert rows(named, "activities", "lead_id") == rows(named, "leads", "lead_id")


def test_ids_of_salesforce_that_differ_in_case_are_different_leads(tmp_path):
    warehouse = history(tmp_path, [SHORT], [SHORT.swapcase()])
    assert found(warehouse)["orphan", "lead_id"][1].startswith("no row of the file meets a lead")


def test_a_wrong_checksum_is_a_fault_of_its_own(tmp_path):
    warehouse = history(tmp_path, [LONG, "00Q5A00001OVC9LUAH"], [SHORT], ids="salesforce", most_rejected=1.0)
    assert list(found(warehouse)) == [("wrong_checksum", "lead_id")]
    assert rows(warehouse, "leads", "lead_id") == [(LONG,)]


def test_ids_that_a_spreadsheet_rounded_are_refused(tmp_path):
    """Both leads are: they were two, and nobody knows any longer which is which."""
    warehouse = history(tmp_path, ["1.23457E+11", "1.23457E+11", "7"], ["7"])
    assert found(warehouse)["rounded", "lead_id"][0] == 2
    assert rows(warehouse, "leads", "lead_id") == [("7",)]


@pytest.mark.parametrize("word", ["NULL", "N/A", "None", "-", "(not set)", "000000000000000AAA", "000000000000000", ""])
def test_a_null_id_is_no_account(tmp_path, word):
    table = f"lead_id,created_at,acc\na,2026-01-01,{word}\nb,2026-01-01,{word}\n{word},2026-01-01,Acme\n"
    warehouse = imported(company(tmp_path, {"leads.csv": table}, [{**LEADS, "columns": {"account_id": "acc"}}]))
    assert rows(warehouse, "leads", "lead_id", "account_id") == [("a", None), ("b", None)]
    assert list(found(warehouse)) == [("missing", "lead_id")]


def test_accounts_compare_by_a_rule_of_their_own(tmp_path):
    table = "lead_id,created_at,acc\na,2026-01-01,ACME\nA,2026-01-01,Acme\n"
    source = {**LEADS, "columns": {"account_id": "acc"}}
    warehouse = imported(company(tmp_path, {"leads.csv": table}, [source], account_ids="casefold"))
    assert sorted(rows(warehouse, "leads", "lead_id", "account_id")) == [("A", "acme"), ("a", "acme")]
