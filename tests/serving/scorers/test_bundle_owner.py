"""A model of another company scores no lead, whichever way it comes: by HTTP, by promotion, by the command line."""

import pytest

from data.company_identity import CompanyIdentity
from data.home import Home
from data.words.playbook import load_playbook
from data.workspace import Workspace
from models.bundle import read_bundle_files, save_bundle
from models.bundle_company import OtherCompanyError, company_fact
from models.champion import Champion, point_to
from models.commands import serving_scorer
from models.packed_bundle import pack
from serving.verbs.deploy import deploy
from tests.models.small import fitted, golden
from tests.serving.bundles import put
from tests.serving.conftest import PLAYBOOK

ACME = CompanyIdentity("acme-1", "acme")
REFUSAL = r"belongs to the company acme \(acme-1\), and the playbook describes demo \(demo\)"


def promoted(models, company=ACME, name="one"):
    """Promote a model of a company in a folder of models; return its bundle."""
    model, booster = fitted()
    folder = models / "bundles" / name
    facts = company_fact(company) | {"of": name}
    saved = save_bundle(model, folder, lightgbm_text=booster.model_to_string(), golden=golden(), facts=facts)
    point_to(models, Champion("1", saved.fingerprint, f"bundles/{name}"))
    return folder


def test_over_http_it_is_refused_and_nothing_of_it_is_stored(store, tmp_path):
    before = store.rows("scorers")
    answer = put(store, pack(read_bundle_files(promoted(tmp_path / "elsewhere")), version="1"))
    assert answer.status_code == 422
    assert "belongs to the company acme (acme-1)" in answer.json()["detail"]
    assert store.rows("scorers") == before
    own = promoted(tmp_path / "own", company=store.service.playbook.company)
    assert put(store, pack(read_bundle_files(own), version="1")).status_code == 200


def test_a_promotion_of_it_is_a_problem_and_the_rules_answer(store):
    promoted(store.settings.models)
    store.service.active_scorer.refresh()
    current = store.service.active_scorer.current
    assert current.stands_in
    assert "belongs to the company acme (acme-1)" in str(current.problem)


@pytest.mark.parametrize("verb", [deploy, serving_scorer])
def test_deploy_score_and_explain_refuse_it(tmp_path, verb, monkeypatch):
    monkeypatch.setenv("LEADSCORE_USER", "ann")
    workspace = Workspace(load_playbook(PLAYBOOK), Home(tmp_path))
    promoted(workspace.home.models("demo"))
    with pytest.raises(OtherCompanyError, match=REFUSAL):
        verb(workspace)
    assert not (workspace.home.tables("demo") / "leadscore.db").exists()
