"""A search is never worse than no search, can be stopped and taken up again, and looks at the stop block alone."""

import sqlite3
from dataclasses import replace

import numpy as np
import pytest

from tests.training.drawn import drawn
from training.errors import RegistryError
from training.fitting import tuning
from training.fitting.boosting import cross_fit
from training.fitting.fit import PreparedRows, fit
from training.fitting.hyperparameters import MOST_DEPTH
from training.fitting.tuning import SPACE, tune_parameters

TRIALS = 6


@pytest.fixture(scope="module")
def company():
    return drawn(9_000, 10)


@pytest.fixture(scope="module")
def searching(company):
    """Search in a file, hearing what is told."""

    def search(place, *, trials=TRIALS, dataset=None, heard=None, seed=1):
        def hear(what, done, total):
            if heard is not None and what == "tuning":
                heard.append((done, total))

        return tune_parameters(dataset or company[0], company[1], trials=trials, place=place, seed=seed, progress=hear)

    return search


@pytest.fixture(scope="module")
def whole(searching, tmp_path_factory):
    """A search that nothing interrupted, its file, and what it told."""
    place, heard = tmp_path_factory.mktemp("tuning") / "studies.db", []
    return searching(place, heard=heard), place, heard


def test_the_first_trial_has_what_training_would_take_anyway(searching, company, tmp_path):
    found = searching(tmp_path / "studies.db", trials=1)
    plain = fit(*company, seed=1)
    assert dict(found.parameters) == {name: plain.parameters[name] for name in SPACE}
    assert found.best == found.default == loss_of(plain, company[0])
    assert found.steps == plain.steps


def loss_of(fitted, dataset):
    """The log loss of the train rows out of fold, before calibration: of trees fitted anew with these parameters."""
    catalog = fitted.model.catalog
    ready = PreparedRows(dataset.block("train"), catalog, fitted.parameters, fitted.directions)
    rows = ready.binned()
    margins = cross_fit(rows, fitted.parameters).margins
    return float(np.average(np.logaddexp(0, margins) - rows.label * margins, weights=rows.weight))


def test_a_search_is_never_worse_than_none(whole):
    found, _, _ = whole
    assert found.trials == TRIALS
    assert found.best <= found.default


def test_training_with_what_was_found_gives_what_was_found(whole, company):
    fitted = fit(*company, parameters=whole[0].parameters, seed=1)
    assert loss_of(fitted, company[0]) == whole[0].best
    assert fitted.steps == whole[0].steps


def test_what_is_tried_stays_within_what_can_be_explained():
    assert (SPACE["max_depth"].high, MOST_DEPTH) == (6, 6)


def test_every_trial_is_told(whole):
    assert whole[2] == [(done, TRIALS) for done in range(TRIALS + 1)]


def test_a_search_that_was_stopped_goes_on_as_if_it_had_not_been(searching, whole, tmp_path):
    place, heard = tmp_path / "studies.db", []
    searching(place, trials=2)
    assert searching(place, heard=heard) == whole[0]
    assert heard == [(done, TRIALS) for done in range(2, TRIALS + 1)]


def test_a_search_that_is_done_tries_nothing_more(searching, whole, monkeypatch):
    monkeypatch.setattr(tuning, "_run_trial", None)
    heard = []
    assert searching(whole[1], heard=heard) == whole[0]
    assert heard == [(TRIALS, TRIALS)]


def test_fewer_trials_than_are_there_are_the_first_ones(searching, whole, tmp_path):
    few = searching(tmp_path / "few.db", trials=3)
    assert searching(whole[1], trials=3) == few


@pytest.mark.parametrize("stopped_at", [0, 3])
def test_ctrl_c_leaves_the_trials_that_are_finished(searching, whole, tmp_path, monkeypatch, stopped_at):
    place, fits = tmp_path / "studies.db", []

    def interrupted(binned, parameters):
        if len(fits) == stopped_at:
            raise KeyboardInterrupt
        fits.append(parameters)
        return grow(binned, parameters)

    grow = tuning.cross_fit
    monkeypatch.setattr(tuning, "cross_fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        searching(place)
    monkeypatch.undo()
    heard = []
    assert searching(place, heard=heard) == whole[0]
    assert heard[0] == (stopped_at, TRIALS)


def test_no_row_of_the_weeks_after_is_looked_at(searching, whole, company, tmp_path):
    """With all labels of the test rows turned around the same is found."""
    rows = company[0].rows
    ahead = rows["block"] == "test"
    turned = rows.assign(label=np.where(ahead, 1 - rows["label"], rows["label"]))
    assert searching(tmp_path / "studies.db", dataset=replace(company[0], rows=turned)) == whole[0]


def test_another_training_set_is_searched_anew(searching, whole, company):
    other = replace(company[0], manifest={**company[0].manifest, "rows_sha256": "another"})
    heard = []
    searching(whole[1], dataset=other, trials=1, heard=heard)
    assert heard == [(0, 1), (1, 1)]


def test_another_wish_of_the_playbook_is_searched_anew(whole, company):
    playbook = company[1].business
    wishes = playbook.features.model_copy(update={"rises_with": ("page_view/pricing", "call")})
    folder = replace(company[1], business=playbook.model_copy(update={"features": wishes}))
    heard = []
    tune_parameters(company[0], folder, trials=1, place=whole[1], seed=1, progress=lambda *told: heard.append(told))
    assert ("tuning", 0, 1) in heard


def test_a_model_too_slow_to_explain_is_not_chosen(searching, whole, tmp_path, monkeypatch):
    monkeypatch.setattr(tuning, "MOST_STEPS", whole[0].steps - 1)
    found = searching(tmp_path / "studies.db", trials=12)
    assert found.steps < whole[0].steps


def test_nothing_is_said_but_progress(searching, tmp_path, capfd):
    searching(tmp_path / "studies.db", trials=2)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("content", [b"these are no tables, " * 1_000, None])
def test_a_file_that_cannot_be_used_is_a_sentence(searching, tmp_path, content):
    place = tmp_path / "studies.db"
    if content is None:
        place.mkdir()
    else:
        place.write_bytes(content)
    with pytest.raises(RegistryError, match=r"cannot be saved in .*studies\.db \(.*\): allow writing there"):
        searching(place, trials=1)


def test_a_file_that_is_busy_for_long_is_a_sentence(searching, tmp_path, monkeypatch):
    place = tmp_path / "studies.db"
    searching(place, trials=1)
    monkeypatch.setattr(tuning, "LOCK_TIMEOUT_S", 0.1)
    other = sqlite3.connect(place)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(RegistryError, match="database is locked"):
        searching(place, trials=2)
    other.close()
