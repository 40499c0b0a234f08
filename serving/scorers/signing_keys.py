"""
Which signatures of bundles count: those by keys that settings name or the store holds, and by none that it revoked.

A bundle is judged when it comes in. The one in force stays in force whatever becomes of its key, since a service
without its model would hand over by point rules; `GET /v1/model` marks it then.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from data.instants import iso
from models.conversion import ConversionModel
from models.scorer import Scorer
from models.signing import PublicKey, key_file, own_public_key
from serving.bundle_errors import UnsignedBundleError, UntrustedBundleError
from serving.errors import KeysError
from serving.settings import Settings
from serving.store.audit_log import write_audit_entry
from serving.store.database import Database
from serving.store.state import read_state, write_state

SignatureState = Literal["signed", "unsigned", "untrusted", "revoked"]
FOUND = "service"
"""Who adds the key that lies beside the models promoted on the service's own machine."""

_STATE = "signing_keys"
"""Where the store remembers them: a JSON list, oldest first."""


@dataclass(frozen=True, slots=True)
class StoredSigningKey:
    """
    A public key that the store holds.

    Attributes:
        key: the key.
        added_at: since when its signatures count [us since 1970 UTC].
        added_by: the user of the command line, or ``service``, which found it beside the models promoted here.
        revoked_at: since when they do not; None while they do.
    """

    key: PublicKey
    added_at: int
    added_by: str
    revoked_at: int | None = None

    def as_json(self) -> dict[str, str | None]:
        """Return it as ``leadscore keys signing --json`` prints it."""
        revoked = None if self.revoked_at is None else iso(self.revoked_at)
        return {
            "key_id": self.key.id,
            "public_key": self.key.text,
            "added_at": iso(self.added_at),
            "added_by": self.added_by,
            "revoked_at": revoked,
        }


@dataclass(frozen=True, slots=True)
class TrustedKeys:
    """
    The keys whose signatures count at a moment.

    Attributes:
        trusted: of the settings and of the store.
        revoked: keys that the store revoked; they are not among the trusted.
        accepts_unsigned: whether settings accept bundles that no trusted key signed, unless a revoked one did.
    """

    trusted: frozenset[PublicKey]
    revoked: frozenset[PublicKey]
    accepts_unsigned: bool

    def state(self, signer: PublicKey | None) -> SignatureState:
        """
        Return how a bundle is marked.

        >>> TrustedKeys(frozenset(), frozenset(), accepts_unsigned=False).state(None)
        'unsigned'
        """
        if signer is None:
            return "unsigned"
        if signer in self.revoked:
            return "revoked"
        return "signed" if signer in self.trusted else "untrusted"

    def require(self, signer: PublicKey | None) -> None:
        """
        Refuse a bundle that may not come in.

        Args:
            signer: as given by `models.signing.signer_of`.

        Raises:
            UnsignedBundleError: nobody signed it, and settings do not accept that.
            UntrustedBundleError: its key is revoked, or not known here and settings do not accept that.
        """
        state = self.state(signer)
        if signer is None:
            if not self.accepts_unsigned:
                raise UnsignedBundleError
        elif state == "revoked" or (state == "untrusted" and not self.accepts_unsigned):
            raise UntrustedBundleError(signer, is_revoked=state == "revoked")


class SignatureCheck:
    """
    Judges bundles by the keys whose signatures count on a store.

    Args:
        settings: name keys, and whether unsigned bundles are accepted.
        database: holds more keys, and those that were revoked.
        now: the present instant [us since 1970 UTC].

    Attributes:
        keys: those that count, as of the last refresh.
    """

    def __init__(self, settings: Settings, database: Database, *, now: Callable[[], int]) -> None:
        self._settings = settings
        self._database = database
        self._now = now
        self.keys = TrustedKeys(frozenset(), frozenset(), accepts_unsigned=False)

    def refresh(self, connection: Connection) -> None:
        """Read anew which keys count."""
        self.keys = trusted_keys(connection, self._settings)

    def require(self, signer: PublicKey | None) -> None:
        """
        Refuse a bundle that may not come in.

        Args:
            signer: as given by `models.signing.signer_of`.

        Raises:
            RequestError: nobody signed it, or its key does not count here.
        """
        with self._database.reading() as connection:
            self.refresh(connection)
        self.keys.require(signer)

    def require_local(self, signer: PublicKey | None, *, by: str = FOUND) -> None:
        """
        Refuse a bundle that comes from a folder of this machine and may not come in.

        Whoever promotes here needs not tell the service so: the machine's own key counts, unless it was revoked.

        Args:
            signer: as given by `models.signing.signer_of`.
            by: who hands it over.

        Raises:
            RequestError: nobody signed it, or its key does not count here.
        """
        if signer is not None and signer == own_public_key(key_file(self._settings.models.parent)):
            with self._database.reading() as connection:
                is_known = not is_new(connection, signer)
            if not is_known:
                with self._database.writing() as connection:
                    trust_key(connection, signer, by=by, at=self._now())
        self.require(signer)

    def state(self, scorer: Scorer) -> SignatureState | None:
        """Return how a scorer is marked; None for point rules, which nobody signs."""
        return self.keys.state(scorer.signer) if isinstance(scorer, ConversionModel) else None


def trusted_keys(connection: Connection, settings: Settings) -> TrustedKeys:
    """Return the keys whose signatures count now."""
    stored = stored_signing_keys(connection)
    revoked = frozenset(each.key for each in stored if each.revoked_at is not None)
    trusted = {*settings.signing_keys, *(each.key for each in stored)} - revoked
    return TrustedKeys(frozenset(trusted), revoked, settings.unsigned_bundles == "accept")


def stored_signing_keys(connection: Connection) -> list[StoredSigningKey]:
    """Return the keys that the store holds or revoked, oldest first."""
    content = json.loads(read_state(connection, _STATE) or "[]")
    return [
        StoredSigningKey(PublicKey.of(each["key"]), each["added_at"], each["added_by"], each["revoked_at"])
        for each in content
    ]


def is_new(connection: Connection, key: PublicKey) -> bool:
    """Return whether the store neither holds a key nor revoked it."""
    return all(each.key != key for each in stored_signing_keys(connection))


def trust_key(connection: Connection, key: PublicKey, *, by: str, at: int) -> None:
    """
    Trust a key from now on, and audit it; one that the store holds or revoked stays as it is.

    Args:
        connection: holds the write lock.
        key: the public key.
        by: who adds it.
        at: the present instant [us since 1970 UTC].
    """
    if is_new(connection, key):
        _write(connection, [*stored_signing_keys(connection), StoredSigningKey(key, at, by)])
        write_audit_entry(connection, at=at, actor=by, action="signing_keys.trust", target=key.id)


def revoke_signing_key(connection: Connection, key: PublicKey, *, by: str, at: int) -> None:
    """
    Stop trusting a key, wherever it is named, and audit it.

    Args:
        connection: holds the write lock.
        key: the public key; it need not be in the store, so that one which settings name can be revoked too.
        by: who revokes it.
        at: the present instant [us since 1970 UTC].
    """
    others = [each for each in stored_signing_keys(connection) if each.key != key]
    was = next((each for each in stored_signing_keys(connection) if each.key == key), None)
    added_at, added_by = (at, by) if was is None else (was.added_at, was.added_by)
    _write(connection, [*others, StoredSigningKey(key, added_at, added_by, revoked_at=at)])
    write_audit_entry(connection, at=at, actor=by, action="signing_keys.revoke", target=key.id)


def key_with_id(known: Iterable[PublicKey], key_id: str) -> PublicKey:
    """
    Return the key that an id names.

    Raises:
        KeysError: none does.
    """
    found = [key for key in known if key_id in {key.id, key.text}]
    if not found:
        message = "there is no signing key of this id: leadscore keys signing lists them."
        raise KeysError(message)
    return found[0]


def _write(connection: Connection, keys: Iterable[StoredSigningKey]) -> None:
    content = [
        {"key": each.key.text, "added_at": each.added_at, "added_by": each.added_by, "revoked_at": each.revoked_at}
        for each in sorted(keys, key=lambda each: each.added_at)
    ]
    write_state(connection, _STATE, json.dumps(content))
