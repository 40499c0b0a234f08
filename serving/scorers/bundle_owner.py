"""Whose a bundle is, beside whose the store is: a model never scores the leads of another company."""

from data.company_identity import CompanyIdentity
from models.bundle_company import require_own
from serving.store.database import Database
from serving.store.store_company import company_of_store


def require_company_of_store(database: Database, company: CompanyIdentity | None) -> None:
    """
    Check that a bundle is of the company whose leads a store holds.

    Args:
        database: the store.
        company: that of the bundle; None where the bundle names none, and is taken for the store's.

    Raises:
        OtherCompanyError: they differ.
    """
    with database.reading() as connection:
        own = company_of_store(connection)
    if own is not None:
        require_own(own, company, "The bundle")
