"""All scores of a history in order, whatever parts they were computed in."""

from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from data.workspace import Workspace
from models import history_scores
from models.commands import score
from models.errors import ModelError
from models.score_summary import ScoreSummary


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


def test_an_instant_at_which_no_lead_was_open_is_refused(world, tmp_path):
    with pytest.raises(ModelError, match=r"no lead was open as of 1970-01-01T00:00:01.*: give --as-of an instant"):
        score(Workspace(world.playbook, world.home), out=tmp_path / "none.parquet", as_of=1_000_000)
    assert list(tmp_path.iterdir()) == []
