"""
Which company something is of: an id that nobody else has, and the name that people call it by.

The id stands in ``playbook.yaml`` under ``company``, or else in ``company.json`` beside it, which is made at the first
use. Both are to be committed with the playbook, so that all machines agree. Stores, training sets, bundles, exports and
the registry remember the company that they were made for, and nothing of another one is mixed in.
"""

import json
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.errors import PlaybookError
from data.words.business import Business

COMPANY_FILE = "company.json"


@dataclass(frozen=True, slots=True)
class CompanyIdentity:
    """
    A company.

    Attributes:
        id: its id, which never changes.
        name: what it is called.
        formerly: what it was called before.
    """

    id: str
    name: str
    formerly: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The name and the id, for messages."""
        return f"{self.name} ({self.id})"

    def is_same_as(self, other: "CompanyIdentity") -> bool:
        """
        Return whether another identity is this company, under the name it has or had.

        The name counts too: a playbook that was copied for another company may still have the id of the first.

        >>> acme = CompanyIdentity("a-1", "acme", formerly=("acme_trial",))
        >>> acme.is_same_as(CompanyIdentity("a-1", "acme_trial")), acme.is_same_as(CompanyIdentity("a-1", "globex"))
        (True, False)
        """
        return self.id == other.id and other.name in {self.name, *self.formerly}

    def refusal(self, other: "CompanyIdentity", what: str) -> str:
        """Return the sentence that refuses something of another company."""
        if self.id == other.id:
            mend = (
                f"if {other.name} is called {self.name} now, run leadscore rename; else give each company its own id."
            )
        else:
            mend = "name that company's playbook, or another place."
        return f"{what} belongs to the company {other.shown}, and the playbook describes {self.shown}: {mend}"

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"id": self.id, "name": self.name, **({"formerly": list(self.formerly)} if self.formerly else {})}


def company_from_json(content: object) -> CompanyIdentity | None:
    """
    Read an identity; None where something was made before companies had one.

    Raises:
        ValueError: it is damaged.
    """
    if content is None:
        return None
    if not isinstance(content, Mapping) or not all(isinstance(content.get(key), str) for key in ("id", "name")):
        message = f"{content!r} names no company: expected an id and a name"
        raise ValueError(message)
    return CompanyIdentity(content["id"], content["name"], tuple(map(str, content.get("formerly") or ())))


def is_identified(folder: Path, business: Business) -> bool:
    """Return whether a playbook says already which company it describes."""
    return business.company is not None or (folder / COMPANY_FILE).exists()


def company_of(folder: Path, business: Business) -> CompanyIdentity:
    """
    Return the company that a playbook describes; where it says nothing of it, an id is made and kept beside it.

    Raises:
        PlaybookError: the id cannot be kept there, is damaged, or differs between the two files.
    """
    path = folder / COMPANY_FILE
    company_id = business.company
    if path.exists() or company_id is None:
        kept = _read(path) if path.exists() else _make(path, business.name)
        if company_id not in {None, kept}:
            message = (
                f"{folder / 'playbook.yaml'} says company: {company_id}, and {COMPANY_FILE} beside it says {kept}: "
                "delete the one that is wrong."
            )
            raise PlaybookError(message)
        company_id = kept
    return CompanyIdentity(company_id, business.name, business.formerly)


def _read(path: Path) -> str:
    try:
        company_id = json.loads(path.read_bytes())["company"]
    except (OSError, ValueError, KeyError, TypeError):
        company_id = None
    if not isinstance(company_id, str) or not company_id:
        message = (
            f"{path} does not say which company the playbook describes: restore it, or set company: in playbook.yaml."
        )
        raise PlaybookError(message)
    return company_id


def _make(path: Path, name: str) -> str:
    """Make an id and keep it; where another process was faster, take its id."""
    company_id = f"{name}-{uuid.uuid4().hex[:12]}"
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}")
    try:
        draft.write_text(json.dumps({"company": company_id}) + "\n", encoding="utf-8")
        os.link(draft, path)
    except FileExistsError:
        return _read(path)
    except OSError as error:
        message = (
            f"{path.parent} does not say which company it describes, and {path.name} cannot be written there "
            f"({error.strerror or error}): add the line `company: {company_id}` to playbook.yaml."
        )
        raise PlaybookError(message) from None
    finally:
        if draft.exists():
            draft.unlink()
    return company_id
