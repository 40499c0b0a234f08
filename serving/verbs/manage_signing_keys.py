"""The verb ``keys signing``: the key that signs this machine's bundles, and those whose signatures count."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection

from data.instants import iso, now_us
from data.workspace import Workspace
from models.signing import PublicKey, SigningKey, key_file, new_key, own_key, own_public_key
from serving.errors import KeysError
from serving.scorers.signing_keys import (
    StoredSigningKey,
    key_with_id,
    revoke_signing_key,
    stored_signing_keys,
    trust_key,
)
from serving.settings import Settings
from serving.store.audit_log import command_line_user
from serving.verbs.opened_store import opened_store


@dataclass(frozen=True, slots=True)
class SigningKeyList:
    """
    The signing key of this machine, and the keys that the store and the settings know.

    Attributes:
        own: this machine's key; None if it has none.
        file: where its private half lies.
        stored: the keys that the store holds or revoked.
        named: the keys that ``LEADSCORE_SIGNING_KEYS`` names.
    """

    own: PublicKey | None
    file: Path
    stored: Sequence[StoredSigningKey]
    named: Sequence[PublicKey]

    def as_json(self) -> dict[str, Any]:
        """Return them as JSON; the private half is nowhere in it."""
        own = None if self.own is None else {"key_id": self.own.id, "public_key": self.own.text}
        stored = [each.as_json() for each in self.stored]
        return {"own": own, "file": str(self.file), "store": stored, "settings": [key.text for key in self.named]}

    def show(self, console: Console) -> None:
        """Print them as a table, and what another service needs to trust this machine's key."""
        table = Table("key", "since", "from", "state")
        for each in self.stored:
            state = "trusted" if each.revoked_at is None else f"revoked {iso(each.revoked_at)[:16]}Z"
            table.add_row(each.key.id, f"{iso(each.added_at)[:16]}Z", each.added_by, state)
        for key in self.named:
            table.add_row(key.id, "", "LEADSCORE_SIGNING_KEYS", "trusted unless revoked above")
        console.print(table)
        if self.own is not None:
            lines = (
                f"This machine signs with {self.own.id}; its private half is {self.file}.",
                "A service elsewhere trusts it once this has run there:",
                f"leadscore keys signing --trust {self.own.text}",
            )
            for line in lines:
                console.print(line, markup=False, highlight=False, soft_wrap=True)


def manage_signing_keys(
    workspace: Workspace, *, new: bool = False, trust: str | None = None, revoke: str | None = None
) -> SigningKeyList:
    """
    Make this machine's signing key if there is none and let it count in the store; or trust or revoke a key.

    Args:
        workspace: the playbook, and where tables and models are kept.
        new: whether to replace this machine's key by another one; the one before still counts.
        trust: the public key of another machine, whose signatures shall count.
        revoke: the id of a key whose signatures shall count no longer.

    Raises:
        ModelError: the key's file cannot be read or written, or what shall be trusted is no key.
        ServingError: the store cannot be opened, there is no such key, or it was revoked.
    """
    if sum([new, trust is not None, revoke is not None]) > 1:
        message = "--new, --trust and --revoke exclude each other: run the command once for each."
        raise KeysError(message)
    with opened_store(workspace) as (settings, database), database.writing() as connection:
        file = key_file(settings.models.parent)
        if revoke is not None:
            _revoke(connection, revoke, settings=settings, file=file)
        else:
            _trust(connection, _own(file, new=new).public if trust is None else PublicKey.of(trust))
        return SigningKeyList(own_public_key(file), file, stored_signing_keys(connection), settings.signing_keys)


def _own(file: Path, *, new: bool) -> SigningKey:
    key = None if new else own_key(file, create=True)
    return new_key(file) if key is None else key


def _trust(connection: Connection, key: PublicKey) -> None:
    if any(each.key == key and each.revoked_at is not None for each in stored_signing_keys(connection)):
        message = f"the signing key {key.id} was revoked: make another one with leadscore keys signing --new."
        raise KeysError(message)
    trust_key(connection, key, by=command_line_user(), at=now_us())


def _revoke(connection: Connection, key_id: str, *, settings: Settings, file: Path) -> None:
    own = own_public_key(file)
    known = [each.key for each in stored_signing_keys(connection)] + list(settings.signing_keys)
    known += [] if own is None else [own]
    revoke_signing_key(connection, key_with_id(known, key_id), by=command_line_user(), at=now_us())
