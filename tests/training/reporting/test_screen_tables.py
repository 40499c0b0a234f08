"""What is printed fits on 80 columns with any number of scorers, and no word, number, interval or date is cut."""

import io
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from tests.training.reporting.sample import document, evaluation
from training.evaluation.evaluation_document import Evaluation
from training.reporting.metric_names import HEADLINE, METRICS
from training.reporting.screen_tables import blocks_table, metrics_table, origins_table, print_lines, replay_table
from training.statistics.number_format import interval, value

LONG_NAMES = (
    "the model of the newest training",
    "marketing rules as they were agreed upon in the spring of 2024",
    "champion leadscore-enterprise-software-emea",
    "learned rules",
    "logistic_regression_on_everything_that_is_known",
    "rules",
)


def printed(*tables, width=80):
    console = Console(width=width, file=io.StringIO())
    for table in tables:
        console.print(table)
    return console.file.getvalue()


def with_names(names):
    """An evaluation with as many scorers and participants as there are names."""
    content = document()
    pools = [content["scorers"], *(origin["scorers"] for origin in content["origins"])]
    for scorers in pools:
        scorers[:] = [{**scorer, "name": name} for scorer, name in zip(scorers[:1] * len(names), names, strict=True)]
    participants = content["replay"]["participants"]
    content["replay"]["participants"] = [{**participants[0], "name": name} for name in names]
    content["replay"]["pairwise"] = []
    return Evaluation.model_validate(content)


def assert_whole(text, *, words, width=80):
    """Every line fits, nothing is shortened, and each of these words stands somewhere in one piece."""
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    for word in itertools.chain.from_iterable(each.split() for each in words):
        assert word in text.split(), word


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6])
def test_no_name_number_or_interval_is_cut_at_80_columns(count):
    found = with_names(LONG_NAMES[:count])
    numbers = [text for name in HEADLINE for text in written(getattr(found.scorers[0], name), METRICS[name].shape)]
    headers = [METRICS[name].words for name in HEADLINE]
    assert_whole(printed(metrics_table(found.scorers)), words=[*LONG_NAMES[:count], *numbers, *headers])


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6])
def test_no_date_of_an_origin_is_cut_at_80_columns(count):
    found = with_names(LONG_NAMES[:count])
    dates = [span[:10] for origin in found.origins for span in (origin.test.start, origin.test.end)]
    assert_whole(printed(origins_table(found.origins)), words=[*LONG_NAMES[:count], *dates])


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6])
def test_no_number_of_the_replay_is_cut_at_80_columns(count):
    found = with_names(LONG_NAMES[:count])
    first = found.replay.participants[0]
    numbers = [*written(first.conversions, "count"), value(first.value, "money")]
    text = printed(replay_table(found.replay)).replace("(", "").replace(")", "")
    assert_whole(text, words=[*LONG_NAMES[:count], *numbers, "calls for one success"])


def written(number, shape):
    return [value(number, shape), interval(number, shape)]


def test_blocks_show_their_dates_whole():
    data = evaluation().data
    assert_whole(printed(blocks_table(data)), words=["train", "test", "2025-01-06", "2026-05-01"])


def test_every_scorer_has_its_numbers_on_its_own_line():
    found = evaluation()
    lines = printed(metrics_table(found.scorers), width=200).splitlines()
    for scorer in found.scorers[:-1]:
        (row,) = [line for line in lines if line.startswith(scorer.name)]
        assert [value(getattr(scorer, name), METRICS[name].shape) for name in HEADLINE] == row[22:].split()


def test_a_scorer_that_ranks_nothing_has_no_row():
    assert "base rate" not in printed(metrics_table(evaluation().scorers))


def test_a_name_that_leaves_no_room_stands_below_the_table():
    name = "x" * 75
    text = printed(metrics_table(with_names([name]).scorers))
    assert f"1: {name}" in " ".join(text.split())
    assert "63% – 76%" in text


@settings(max_examples=50)
@given(
    st.lists(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60), min_size=1),
    st.integers(0, 8),
)
def test_a_long_sentence_breaks_between_words_and_loses_none(words, indent):
    console = Console(width=80, file=io.StringIO())
    print_lines(console, " ".join(words), indent=indent)
    text = console.file.getvalue()
    assert text.split() == words
    assert max(map(len, text.splitlines())) <= 80
