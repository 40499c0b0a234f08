"""Addresses: a lead's id may hold slashes, so what follows it tells addresses apart; and which methods one takes."""

import re

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.convertors import PathConvertor, register_url_convertor

_PARTS = ("score", "receipts", "changes", "dossier", "merge")
"""What an address may say after a lead's id; a lead whose id ends so is erased by the command line."""


class LeadConvertor(PathConvertor):
    """A lead's id at the end of an address: anything, slashes too, that is not a part of another lead's address."""

    regex = rf"(?!.*/(?:{'|'.join(_PARTS)})$).+"


register_url_convertor("lead", LeadConvertor())
LEAD = "/leads/{lead_id:lead}"
"""The address of a lead itself."""


def methods_at(app: FastAPI, path: str) -> list[str]:
    """Return the methods that the routes of a path accept."""
    found: set[str] = set()
    for route in iter_route_contexts(app.router.routes):
        regex: re.Pattern[str] | None = getattr(route, "path_regex", None)
        if regex is not None and regex.match(path):
            found |= getattr(route, "methods", None) or set()
    return sorted(found)
