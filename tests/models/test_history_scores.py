"""All scores of a history in order, whatever parts they were computed in."""

from dataclasses import dataclass, fields, replace

import pyarrow.parquet as pq
import pytest

from data.importing.warehouse import import_history
from data.instants import DAY_US
from data.workspace import Workspace
from models import history_scores
from models.commands import score
from models.errors import ModelError
from models.history_reach import HistoryReach
from models.history_scores import ScoringRequest, scored_by_duckdb
from models.score_summary import ScoreSummary
from models.scorecard import Scorecard, compile_scorecard


def test_the_size_of_parts_and_blocks_does_not_show(world, tmp_path, monkeypatch):
    workspace = Workspace(world.playbook, world.home)
    whole = score(workspace, out=tmp_path / "whole.parquet", reasons=True)
    monkeypatch.setattr(history_scores, "_ROWS_AT_ONCE", 97)
    in_parts = score(workspace, out=tmp_path / "parts.parquet", reasons=True)
    assert replace(in_parts, out=whole.out) == whole
    table = pq.read_table(whole.out)
    assert pq.read_table(in_parts.out).equals(table)
    rows = [(-row["points"], row["lead_id"]) for row in table.select(["points", "lead_id"]).to_pylist()]
    assert rows == sorted(rows)
    assert len(rows) > 2 * 97
    assert [lead.lead_id for lead in whole.top] == [lead for _, lead in rows[: ScoreSummary.MOST_NAMED]]


REACH = HistoryReach(leads=50, age_days=60, silence_days=20)


@dataclass(frozen=True)
class ReachingScorecard(Scorecard):
    """Point rules that know how far their history reaches, as a model does."""

    reach: HistoryReach = REACH


@pytest.fixture(scope="module")
def asked(world):
    """Ask for the scores of everybody open at the end of the history."""
    rules = compile_scorecard(world.playbook.scorecard, world.playbook.business)
    scorer = ReachingScorecard(**{each.name: getattr(rules, each.name) for each in fields(rules)})
    warehouse = import_history(Workspace(world.playbook, world.home))
    return ScoringRequest(scorer, warehouse.cutoff_us + 1, world.playbook.business.lifecycle, reasons=False)


def marked_by_hand(world, asked):
    """Return the leads that are older, or were silent for longer, by the tables alone."""
    warehouse, reach = import_history(Workspace(world.playbook, world.home)), asked.scorer.reach
    versions = warehouse.frame("leads").sort_values("known_at")
    created = versions[versions["known_at"] < asked.as_of].groupby("lead_id")["created_at"].last()
    did = warehouse.frame("activities")
    did = did[(did["known_at"] < asked.as_of) & ~did["kind"].isin(world.playbook.business.never_use)]
    last = did.groupby("lead_id")["occurred_at"].max().reindex(created.index)
    age, silence = ((asked.as_of - at) / DAY_US for at in (created, last.fillna(0).clip(lower=created)))
    return set(created.index[(age >= reach.age_days + 1) | (silence >= reach.silence_days + 1)])


def test_a_lead_that_history_cannot_speak_of_is_marked(world, asked):
    warehouse = import_history(Workspace(world.playbook, world.home))
    table = scored_by_duckdb(warehouse, asked)
    rows = table.select(["lead_id", "beyond_history"]).to_pylist()
    marked = {row["lead_id"] for row in rows if row["beyond_history"] is not None}
    assert marked == marked_by_hand(world, asked) & {row["lead_id"] for row in rows}
    assert 20 < len(marked) < len(rows) - 20
    assert ScoreSummary.of(table, 0.0).beyond_history == len(marked)
    kinds = {row["beyond_history"].split(":")[0] for row in rows if row["beyond_history"]}
    assert kinds == {f"Too few leads in the history were {what}" for what in ("this old", "silent this long")}


def test_a_scorer_that_does_not_know_its_reach_marks_nobody(world, tmp_path):
    scored = score(Workspace(world.playbook, world.home), out=tmp_path / "rules.parquet")
    assert scored.beyond_history == 0
    assert pq.read_table(scored.out)["beyond_history"].null_count == scored.leads


def test_an_instant_at_which_no_lead_was_open_is_refused(world, tmp_path):
    with pytest.raises(ModelError, match=r"no lead was open as of 1970-01-01T00:00:01.*: give --as-of an instant"):
        score(Workspace(world.playbook, world.home), out=tmp_path / "none.parquet", as_of=1_000_000)
    assert list(tmp_path.iterdir()) == []
