"""Whose a store is: the company whose leads it holds, which the store remembers about itself."""

import json

from sqlalchemy import Connection, func, select

from data.company_identity import CompanyIdentity, company_from_json
from serving.errors import OtherStoreError, StoreError
from serving.store.database import Database
from serving.store.state import read_state, write_state
from serving.store.tables import leads

_STATE = "company"


def company_of_store(connection: Connection) -> CompanyIdentity | None:
    """
    Return the company whose leads a store holds; None where nobody has opened it for one yet.

    Raises:
        StoreError: what the store says of it is damaged.
    """
    text = read_state(connection, _STATE)
    try:
        return company_from_json(None if text is None else json.loads(text))
    except ValueError:
        message = "the store does not say in a readable way whose it is: restore a backup."
        raise StoreError(message) from None


def claim_store(database: Database, company: CompanyIdentity) -> str:
    """
    Open a store for a company: a store of nobody becomes its own, and a renamed company's takes the new name.

    Returns:
        What was changed, in a sentence; empty where nothing was, and for a store without leads.

    Raises:
        OtherStoreError: the store holds the leads of another company.
    """
    with database.reading() as connection:
        if _checked(connection, database, company) == company:
            return ""
    with database.writing() as connection:
        before = _checked(connection, database, company)
        if before == company:
            return ""
        write_state(connection, _STATE, json.dumps(company.as_json()))
        is_used = connection.execute(select(func.count()).select_from(leads.select().limit(1).subquery())).scalar_one()
    if before is not None and before.name != company.name:
        return f"The store {database.display_url} of {before.shown} is now called that of {company.name}."
    if before is None and is_used:
        return f"The store {database.display_url} did not say whose it is, and is now that of {company.shown}."
    return ""


def _checked(connection: Connection, database: Database, company: CompanyIdentity) -> CompanyIdentity | None:
    recorded = company_of_store(connection)
    if recorded is not None and not company.is_same_as(recorded):
        raise OtherStoreError(company.refusal(recorded, f"The store {database.display_url}"))
    return recorded
