"""One name for one thing, short functions, docstrings in plain English, and imports that run one way."""

from statistics import median

import pytest

from tests.house import measures

MOST_LINES_OF_A_FUNCTION, MEDIAN_LINES_OF_A_FUNCTION, MOST_LINES_OF_A_FILE = 50, 8, 350
LARGEST_SHARE_OF_VAGUE_OPENINGS = 0.01


@pytest.fixture(scope="module")
def sources():
    return measures.product()


@pytest.fixture(scope="module")
def arrows():
    return measures.imports()


def test_no_public_class_name_stands_twice(sources):
    assert measures.twice(measures.public_classes(sources)) == {}


def test_no_file_name_stands_twice(sources):
    """But for ``__init__``, ``errors``, ``commands``, and a router, which is named after what it routes."""
    assert measures.twice(measures.file_names(sources)) == {}


def test_a_class_is_a_noun(sources):
    assert measures.participles(sources) == []


def test_docstrings_say_what_is_returned(sources):
    """They begin with "Return" or the noun itself; Give, Say, Tell and Let leave a reader asking to whom."""
    openings, documented = measures.vague_openings(sources)
    assert len(openings) < LARGEST_SHARE_OF_VAGUE_OPENINGS * documented, "\n".join(openings)


def test_functions_are_short(sources):
    lengths = measures.function_lengths(sources)
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES_OF_A_FUNCTION} == {}
    assert median(lengths.values()) <= MEDIAN_LINES_OF_A_FUNCTION


def test_files_are_short(sources):
    lengths = measures.file_lengths(sources)
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES_OF_A_FILE} == {}


def test_no_two_files_import_each_other(arrows):
    """Directly or through others, for type checking or at run time."""
    assert measures.circles(arrows) == []


def test_no_import_runs_back_up(arrows):
    assert measures.arrows_back_up(arrows) == []


def test_an_import_that_runs_back_up_is_found():
    """The check reads the layers of pyproject.toml, so an empty reading would pass everything."""
    upwards = {("training.statistics.bootstrap", "training.commands"), ("data.contract", "features.live.live_features")}
    assert len(measures.arrows_back_up(upwards)) == len(upwards)
