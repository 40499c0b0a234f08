"""How a file is written is found with the cell that proves it; what no cell proves is left to a person."""

import gzip
import json
import zipfile

import pytest
import yaml

from data.drafting.commands import draft_from
from data.drafting.decisions import DraftQuestion
from data.errors import IntakeError
from data.words.playbook import load_playbook

ROWS = 40


def leads(created="2025-{m:02}-{d:02} 09:{n:02}", size="{n}", delimiter=",", extra="x"):
    """A table of leads with an outcome in it, written in a given way."""
    lines = [delimiter.join(("lead_id", "created_at", "employees", "converted", "converted_date", "mood"))]
    for n in range(ROWS):
        made, won = ((created.format(d=1 + n % 28, m=month, n=n)) for month in (1 + n % 8, 2 + n % 8))
        cells = (f"L{n:03}", made, size.format(n=10 + n), str(n % 2 == 0).lower(), won if n % 2 == 0 else "", extra)
        lines.append(delimiter.join(cells))
    return "\n".join(lines) + "\n"


def drafted(folder, content, name="leads.csv", answers=lambda question: None):
    """Draft a playbook for one file; return its source and its text."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    draft_from([path], out=folder / "acme", answers=answers)
    text = (folder / "acme" / "playbook.yaml").read_text(encoding="utf-8")
    return load_playbook(folder / "acme").business.sources[0], text


@pytest.mark.parametrize(
    ("created", "formats", "proof"),
    [
        ("{d:02}.{m:02}.2025 09:{n:02}", ("%d.%m.%Y %H:%M",), "day first: 13.05.2025 09:12 in row 14"),
        ("{d:02}/{m:02}/2025", ("%d/%m/%Y",), "day first: 13/05/2025 in row 14"),
        ("{m:02}/{d:02}/2025 9:{n:02} PM", ("%m/%d/%Y %I:%M %p",), "month first: 05/13/2025 9:12 PM in row 14"),
        ("2025/{m:02}/{d:02} 09:{n:02}:00", ("%Y/%m/%d %H:%M:%S",), "2025/01/01 09:00:00 in row 2"),
    ],
)
def test_the_format_of_dates_is_found_with_its_proof(tmp_path, created, formats, proof):
    source, text = drafted(tmp_path, leads(created))
    assert source.date_formats == formats
    assert proof in text


def test_dates_that_can_be_read_in_two_ways_are_left_to_decide(tmp_path):
    """No number above 12 says which is the day, and nothing is guessed."""
    content = leads("0{m}/0{m}/2025").replace("/01/2025", "/02/2025")
    source, text = drafted(tmp_path, content)
    assert source.date_format is None
    assert source.written == {}
    assert text.count('# DECIDE: write date_format: "%d/%m/%Y" or "%m/%d/%Y" here.') == 1


def test_a_person_may_say_which_comes_first(tmp_path):
    asked = []

    def answer(question: DraftQuestion):
        asked.append(question.about)
        return "month" if "dates" in question.about else None

    source, _ = drafted(tmp_path, leads("0{m}/0{m}/2025"), answers=answer)
    assert [about for about in asked if "dates" in about] == ["leads.csv: dates such as %d/%m/%Y or %m/%d/%Y"]
    assert source.date_format == "%m/%d/%Y"


def test_another_column_of_the_file_may_prove_an_ambiguous_one(tmp_path):
    lines = ["lead_id,created_at,converted,converted_date"]
    lines += [f"L{n:03},0{1 + n % 9}.02.2025,true,{13 + n % 15}.05.2025" for n in range(ROWS)]
    source, text = drafted(tmp_path, "\n".join(lines))
    assert source.date_format == "%d.%m.%Y"
    assert "as converted_date: day first: 13.05.2025 in row 2" in text


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-le"])
def test_the_encoding_is_found(tmp_path, encoding):
    source, _ = drafted(tmp_path, leads(extra="Größe").encode(encoding))
    assert source.encoding == encoding


def test_utf8_needs_no_word_with_or_without_a_mark(tmp_path):
    source, _ = drafted(tmp_path, leads(extra="Größe").encode("utf-8-sig"))
    assert source.encoding is None


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path, delimiter):
    source, _ = drafted(tmp_path, leads(delimiter=delimiter))
    assert source.delimiter == delimiter


def test_lines_before_the_header_are_counted(tmp_path):
    source, _ = drafted(tmp_path, "Report of 2026-01-01\n\n" + leads())
    assert source.skip_lines == 2
    assert source.columns.lead_id == "lead_id"


@pytest.mark.parametrize(
    ("size", "said"),
    [
        ('"1.2{n},50"', {"decimal": ",", "thousands": "."}),
        ('"1,2{n}.50"', {"decimal": ".", "thousands": ","}),
        ('"{n},5 %"', {"decimal": ",", "thousands": ".", "percent": True}),
        ("€{n}.5", {"currency_signs": ("€",)}),
    ],
)
def test_the_notation_of_numbers_is_found(tmp_path, size, said):
    source, _ = drafted(tmp_path, leads(size=size))
    assert source.written["employees"].model_dump(exclude_none=True) == said


def test_a_number_that_may_be_a_thousand_is_left_out_and_marked(tmp_path):
    source, text = drafted(tmp_path, leads(size="1.2{n}"))
    assert "employees" not in source.attributes
    assert "DECIDE: 1.210 in row 2 may be a thousand or a part of one" in text


def test_words_for_nothing_and_for_yes_are_found(tmp_path):
    lines = ["lead_id,created_at,converted,converted_date,newsletter,mood"]
    lines += [
        f"L{n:03},2025-01-02,true,2025-02-03,{'Ja' if n % 3 else 'Nein'},{'good' if n % 2 else 'N/A'}"
        for n in range(ROWS)
    ]
    source, _ = drafted(tmp_path, "\n".join(lines))
    assert source.empty == ("N/A",)
    assert (source.written["newsletter"].yes, source.written["newsletter"].no) == (("Ja",), ("Nein",))


def test_a_packed_file_is_read(tmp_path):
    source, _ = drafted(tmp_path, gzip.compress(leads().encode()), name="leads.csv.gz")
    assert source.columns.created_at == "created_at"
    with zipfile.ZipFile(tmp_path / "leads.zip", "w") as archive:
        archive.writestr("leads.csv", leads())
    draft_from([tmp_path / "leads.zip"], out=tmp_path / "zipped")
    assert load_playbook(tmp_path / "zipped").business.sources[0].file == "leads.zip"


def test_nested_json_is_read_by_names_with_points(tmp_path):
    records = [
        {
            "id": n,
            "properties": {"createdate": "2025-01-02", "email": "a@b.de", "lifecyclestage": "lead", "country": "DE"},
        }
        for n in range(ROWS)
    ]
    for record in records[::2]:
        record["properties"] |= {"lifecyclestage": "customer", "hs_lifecyclestage_customer_date": "2025-02-02"}
    source, _ = drafted(tmp_path, json.dumps({"results": records}), name="contacts.json")
    assert source.records == "results"
    assert source.columns.created_at == "properties.createdate"
    assert source.outcome.stages == {"customer": "customer"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "is empty"),
        ("lead_id,created_at\n", "has no rows"),
        ("1,2026-01-01,50\n2,2026-01-02,60\n", "has no header: its first line holds '1'"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_one_sentence(tmp_path, content, sentence):
    with pytest.raises(IntakeError, match=sentence):
        drafted(tmp_path, content)


def test_values_that_yaml_would_misread_are_quoted(tmp_path):
    """A cell NO, on or 012 stays text."""
    lines = ["lead_id,created_at,stage,at,visits", *(f"L{n},2025-01-0{1 + n},NO,on,012" for n in range(9))]
    events = [
        "lead_id,kind,occurred_at",
        *(f"L{n % 9},{('NO', 'on', '012', '1e3')[n % 4]},2025-02-0{1 + n % 9}" for n in range(ROWS)),
    ]
    won = ["lead_id,stage,reached_at", *(f"L{n},won,2025-03-01" for n in range(5))]
    for name, content in (("leads", lines), ("events", events), ("deals", won)):
        (tmp_path / f"{name}.csv").write_text("\n".join(content), encoding="utf-8")
    draft_from([tmp_path / f"{name}.csv" for name in ("leads", "events", "deals")], out=tmp_path / "acme")
    sources = load_playbook(tmp_path / "acme").business.sources
    activities = next(source for source in sources if source.holds == "activities")
    assert set(activities.kinds) == {"NO", "on", "012", "1e3"}
    assert yaml.safe_load((tmp_path / "acme" / "routing.yaml").read_text(encoding="utf-8"))["hysteresis_points"] == 5
