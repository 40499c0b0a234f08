"""What an attribute loses is counted by source and success; a loss on one side is a warning of its own."""

import pytest

from data.commands import CheckResult
from data.errors import QualityError
from data.importing.lost_values import chance_of
from tests.data.company import LEADS, OUTCOMES, company, imported, rows
from tests.data.screens import shown

SIZE = {"size": {"type": "numeric", "says": "has {value} employees"}}
VIP = {"vip": {"type": "boolean", "says": "is a vip", "says_not": "is no vip"}}


def history(tmp_path, cells, *, won=(), attributes=SIZE, **says):
    (name,) = attributes
    leads = f"lead_id,created_at,{name}\n" + "".join(f'{at},2026-01-01,"{cell}"\n' for at, cell in enumerate(cells))
    outcomes = "id,lead_id,stage,reached_at\n" + "".join(f"o{at},{at},won,2026-02-01\n" for at in won or [0])
    files = {"leads.csv": leads, "outcomes.csv": outcomes}
    return imported(company(tmp_path, files, [LEADS, OUTCOMES], attributes=attributes, **says))


def test_an_unreadable_number_makes_the_attribute_unknown_not_the_lead_rejected(tmp_path):
    warehouse = history(tmp_path, ["50", "many", "", "70"], won=[1])
    assert rows(warehouse, "leads", "size") == [(50.0,), (None,), (None,), (70.0,)]
    assert warehouse.rows["outcomes"] == 1
    assert not warehouse.quality.violations
    (lost,) = warehouse.quality.lost
    assert (lost.source, lost.attribute, lost.count, lost.given) == ("leads.csv", "size", 1, 3)
    assert (lost.leads, lost.reached, lost.other_leads, lost.others_reached) == (1, 1, 3, 0)
    assert [(each.file, each.row, each.found) for each in lost.examples] == [("leads.csv", 3, '"many"')]
    assert not lost.one_sided


def test_neither_yes_nor_no_is_unknown(tmp_path):
    warehouse = history(tmp_path, ["yes", "perhaps", "no"], attributes=VIP)
    assert rows(warehouse, "leads", "vip") == [(1.0,), (None,), (0.0,)]
    assert "yes and no words" in warehouse.quality.lost[0].mend


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        (["1200+", "> 2,500", "ca. 10k", "45.000 people"], "all 4 that can be made out are above 145, the largest"),
        (["1 or 2", "under 10", "~ 3", "<5"], "all 4 that can be made out are below 50, the smallest"),
    ],
)
def test_a_loss_of_all_that_is_large_or_small_is_one_sided(tmp_path, cells, why):
    warehouse = history(tmp_path, [*map(str, range(50, 146)), *cells])
    (lost,) = warehouse.quality.lost
    assert why in lost.one_sided[0]
    said = shown(CheckResult(warehouse.quality))
    assert f"one-sided: {why}" in said
    assert "size is unknown for 4 of 100 rows, whose cells cannot be read" in said


def test_a_single_large_value_may_be_chance(tmp_path):
    assert not history(tmp_path, [*map(str, range(50, 60)), "1200+"]).quality.lost[0].one_sided


def test_a_loss_among_those_who_succeed_is_one_sided(tmp_path):
    warehouse = history(tmp_path, ["?"] * 8 + ["50"] * 92, won=range(8))
    assert warehouse.quality.lost[0].one_sided == ("8 of the 8 leads that lost it reached won, 0 of the other 92 did",)


def test_more_lost_values_than_the_playbook_allows_stop_the_run(tmp_path):
    with pytest.raises(QualityError) as error:
        history(tmp_path, ["50", "many", "few", "70"], most_rejected=0.4)
    assert 'size cannot be read in 2 of 4 cells, more than the 40% that most_rejected allows, such as "many"' in str(
        error.value
    )
    assert error.value.report is not None
    assert not error.value.report.passed


def test_what_an_event_log_loses_is_counted(tmp_path):
    source = {"file": "log.csv", "holds": "event_log", "outcomes": {"won": "won"}, "attributes": {"size": "size"}}
    source["columns"] = {"lead_id": "case", "kind": "what", "occurred_at": "at"}
    events = ["ann,view,2026-01-01 08:10,many", "ann,won,2026-01-05 09:10,many", "bob,view,2026-01-01 08:10,7"]
    log = "\n".join(["case,what,at,size", *events]) + "\n"
    warehouse = imported(company(tmp_path, {"log.csv": log}, [source], attributes=SIZE))
    (lost,) = warehouse.quality.lost
    assert (lost.count, lost.given, lost.reached, lost.examples[0].row) == (1, 2, 1, 2)


def test_the_chance_is_that_of_fishers_exact_test():
    from scipy.stats import fisher_exact

    for table in [(10, 8, 100, 20), (3, 0, 50, 25), (96, 10, 4, 4), (1, 1, 1, 0)]:
        leads, reached, others, others_reached = table
        expected = fisher_exact([[reached, leads - reached], [others_reached, others - others_reached]]).pvalue
        assert chance_of(*table) == pytest.approx(expected)
