"""Whose a bundle is: the company whose history its model learned from, as the facts in its manifest say."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data.company_identity import CompanyIdentity, company_from_json
from models.bundle import read_facts
from models.champion import MANIFEST
from models.checked_json import loads
from models.errors import BundleError

_FACT = "company"


class OtherCompanyError(BundleError):
    """A bundle is of another company than it is to score leads for."""


def company_fact(company: CompanyIdentity) -> dict[str, Any]:
    """Return what a bundle's facts say of the company."""
    return {_FACT: {"id": company.id, "name": company.name}}


def company_of_facts(facts: Mapping[str, Any], where: str) -> CompanyIdentity | None:
    """
    Return the company that a bundle's facts name; None for a bundle of a release that named none.

    Raises:
        BundleError: they name it in no readable way.
    """
    try:
        return company_from_json(facts.get(_FACT))
    except ValueError as error:
        message = f"{where}: {error}: export the bundle again from its MLflow run."
        raise BundleError(message) from None


def company_of_files(files: Mapping[str, bytes], where: str) -> CompanyIdentity | None:
    """
    Return the company of a bundle whose files were verified; None for a bundle of a release that named none.

    Raises:
        BundleError: the manifest names it in no readable way.
    """
    manifest: Any = loads(files[MANIFEST].decode("utf-8"))
    return company_of_facts(manifest["facts"], where)


def require_own(company: CompanyIdentity, other: CompanyIdentity | None, where: str) -> None:
    """
    Check that a bundle is of a company; one that names none is taken for its own.

    Raises:
        OtherCompanyError: it is of another one.
    """
    if other is not None and not company.is_same_as(other):
        raise OtherCompanyError(company.refusal(other, where))


def require_own_bundle(folder: Path, company: CompanyIdentity) -> None:
    """
    Check that the bundle in a folder is of a company.

    Raises:
        OtherCompanyError: it is of another one.
        BundleError: the folder holds no bundle.
    """
    require_own(company, company_of_facts(read_facts(folder), str(folder)), f"The bundle {folder}")
