"""A bundle says whose history its model learned from, and old bundles, which do not, still load."""

import pytest

from data.company_identity import CompanyIdentity
from models.bundle import load_bundle, save_bundle
from models.bundle_company import OtherCompanyError, company_fact, company_of_facts, require_own_bundle
from models.errors import BundleError
from tests.models.small import fitted, golden

ACME, GLOBEX = CompanyIdentity("acme-1", "acme"), CompanyIdentity("globex-1", "globex")


def bundle(folder, facts):
    model, booster = fitted()
    save_bundle(model, folder, lightgbm_text=booster.model_to_string(), golden=golden(), facts=facts)
    return folder


def test_a_bundle_of_another_company_is_refused_and_both_are_named(tmp_path):
    folder = bundle(tmp_path / "one", company_fact(ACME))
    require_own_bundle(folder, ACME)
    require_own_bundle(folder, CompanyIdentity("acme-1", "apex", formerly=("acme",)))
    with pytest.raises(OtherCompanyError, match=r"acme \(acme-1\), and the playbook describes globex \(globex-1\)"):
        require_own_bundle(folder, GLOBEX)


def test_a_bundle_of_an_earlier_release_loads_and_is_taken_for_one_s_own(tmp_path):
    folder = bundle(tmp_path / "old", {"of": "old"})
    load_bundle(folder)
    require_own_bundle(folder, GLOBEX)


def test_a_company_that_cannot_be_read_is_not_taken_for_none():
    with pytest.raises(BundleError, match="names no company"):
        company_of_facts({"company": "acme"}, "the bundle")
