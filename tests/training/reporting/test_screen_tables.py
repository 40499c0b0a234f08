"""What is printed fits on a screen and says the numbers of the judgement."""

import io

import pytest
from rich.console import Console

from training.reporting.screen_tables import arena_table, gates_said, metrics_table, origins_table


def printed(*things, width=100):
    console = Console(width=width, file=io.StringIO())
    for thing in things:
        console.print(thing)
    return console.file.getvalue()


def test_every_scorer_but_the_base_rate_has_a_column_with_its_intervals(trained):
    said = printed(metrics_table(trained.judgement["scorers"]))
    auc = trained.test["auc"]
    assert f"{auc['value']:.3f}" in said
    assert f"{auc['low']:.3f} – {auc['high']:.3f}" in said
    assert "learned rules" in said
    assert "base rate" not in said


@pytest.mark.parametrize("width", [90, 200])
def test_no_number_is_cut_off(trained, width):
    said = printed(
        metrics_table(trained.judgement["scorers"]), origins_table(trained.judgement["origins"]), width=width
    )
    assert "…" not in said
    assert max(map(len, said.splitlines())) <= width


def test_the_arena_shows_what_each_entrant_found(trained):
    arena = trained.judgement["arena"]
    said = printed(arena_table(arena))
    for one in arena["entrants"]:
        assert one["name"] in said
    assert "days before" in said


def test_gates_are_told_in_one_line_unless_they_failed():
    passed = {"name": "dominance", "passed": True, "says": "Fine.", "accepted": None}
    failed = {"name": "never use", "passed": False, "says": "The status is read.", "accepted": None}
    assert list(gates_said([passed, failed])) == [
        "Gates passed: dominance.",
        "Gate not passed: never use. The status is read.",
    ]
    assert list(gates_said([{**failed, "accepted": "we know"}])) == [
        "Gate not passed: never use. The status is read. Accepted: we know."
    ]
