"""The bars on real data: the BPI Challenge 2012 event log, forward in time."""

import time

import pytest

from data.home import Home
from data.workspace import Workspace
from training import train


@pytest.mark.slow
def test_loan_applications_are_predicted_forward_in_time(bpi2012, tmp_path):
    """An untuned LightGBM on plain counts was seen to reach an AUC of 0.77 and 0.80 times the base rate's log loss."""
    began_s = time.process_time()
    found = train(Workspace(bpi2012, Home(tmp_path)))
    cpu_s = time.process_time() - began_s
    assert found.manifest["plan"]["name"] == "one purge"
    assert found.test["auc"]["value"] >= 0.75
    assert found.test["log_loss"]["value"] <= 0.85 * found.test["base_log_loss"]
    assert found.test["log_loss"]["value"] < found.rules["log_loss"]["value"]
    assert cpu_s <= 240, "two minutes on two cores; CPU time, since other programs run as well"
