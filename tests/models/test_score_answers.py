"""What ``score`` and ``explain`` print fits 80 columns, and says of whom history cannot speak."""

import io
import json
import math
from pathlib import Path

import pytest
from rich.console import Console

from models.history_reach import HistoryReach
from models.score_answers import Explanation, ScoredLeads
from models.score_summary import TopLead
from tests.models.small import fitted, rows, values_of

OLD = HistoryReach(leads=50, age_days=280, silence_days=150).beyond(412.0, 3.0)
MODEL = fitted()[0]


def shown(answer):
    console = Console(width=80, file=io.StringIO())
    answer.show(console)
    return console.file.getvalue()


def scored(*marks, beyond):
    top = tuple(TopLead(f"L-{at}", 70, "A", 0.3 if at else math.nan, mark) for at, mark in enumerate(marks))
    given = {"as_of": 0, "leads": 400, "handed_over": 3, "scorer": MODEL.id, "degraded": False, "hindsight": False}
    return ScoredLeads(Path("scores.csv"), beyond_history=beyond, top=top, **given)


@pytest.mark.parametrize(
    ("marks", "beyond", "says"),
    [
        ((None, OLD), 7, "7 of them are older, or silent for longer, than the history can speak of (*,"),
        ((None, None), 1, "1 of them is older, or silent for longer, than the history can speak of (column"),
    ],
)
def test_the_list_marks_leads_that_history_cannot_speak_of(marks, beyond, says):
    text = shown(scored(*marks, beyond=beyond))
    assert max(map(len, text.splitlines())) <= 80
    assert says in " ".join(text.split())
    marked = ["about 1 in 3 *" in line or "not known yet *" in line for line in text.splitlines() if "L-" in line]
    assert marked == [mark is not None for mark in marks]


def test_a_list_that_history_can_speak_of_says_nothing_of_it():
    answer = scored(None, None, beyond=0)
    assert "history" not in shown(answer)
    assert json.loads(json.dumps(answer.as_json()))["beyond_history"] == 0


@pytest.mark.parametrize("says", [None, OLD])
def test_an_explanation_says_that_the_lead_is_too_old(says):
    receipt = MODEL.receipt("L-1", 0, values_of(rows(1), 0))
    told = {"goal": "chance", "degraded": False, "hindsight": False, "newest_activity_at": None}
    answer = Explanation(receipt, beyond_history=says, **told)
    text = " ".join(shown(answer).split())
    assert (OLD in text) == (says is not None)
    assert json.loads(json.dumps(answer.as_json()))["beyond_history"] == says
