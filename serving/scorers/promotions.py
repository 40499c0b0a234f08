"""Promotions: what `leadscore promote` and `rollback` write into the models folder is deployed to the store."""

import hashlib
import logging
import os
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection

from data.errors import LeadscoreError
from models.bundle import read_bundle_files
from models.champion import POINTER, Champion, pointer_of
from models.checked_json import is_label
from models.errors import BundleError
from models.scorer import Scorer
from models.signing import PublicKey, signer_of
from serving.scorers.bundle_owner import require_company_of_store
from serving.scorers.deployments import CheckedBundle, deploy_stored, deployments_in_force, store_bundle, verify_bundle
from serving.store.database import Database
from serving.store.state import read_state, write_state
from serving.store.store_errors import STORE_ERRORS

_LOG = logging.getLogger("leadscore.serving")
_FOLLOWED = "promotion"
"""Where the store remembers the last promotion followed: the sha256 of its pointer, which no other promotion has."""

Stamp = tuple[int, int, int] | None


class Promotions:
    """
    Deploys what was promoted in a models folder to the store, once, however many processes watch it.

    A promotion that cannot be used is a problem until it can, or until something else is promoted or deployed.

    Args:
        models: the folder.
        database: the store.
        now: the present instant [us since 1970 UTC].
        admit: raises if a scorer cannot run on this store.
        require: raises if the signature of a bundle does not count here.
    """

    def __init__(
        self,
        models: Path,
        database: Database,
        *,
        now: Callable[[], int],
        admit: Callable[[Scorer], object],
        require: Callable[[PublicKey | None], None],
    ) -> None:
        self._models = models
        self._database = database
        self._now = now
        self._admit = admit
        self._require = require
        self._seen: Stamp = (0, 0, 0)
        self._newest = 0
        self._pending: bytes | None = None
        self.problem: str | None = None

    def follow(self, *, again: bool = False) -> None:
        """
        Deploy what was promoted since the last call.

        Args:
            again: whether to retry a promotion that could not be used.
        """
        if self.problem is not None and self._is_overtaken():
            self.problem = None
        stamp = file_stamp(self._models / POINTER)
        if stamp == self._seen and not (again and self.problem is not None):
            return
        self._deploy_pending()
        self._seen = stamp

    def _deploy_pending(self) -> None:
        self._pending = None
        try:
            self._pending = self._pointer()
            if self._pending is None or self._is_followed(self._pending):
                self.problem = None
                return
            champion, bundle = self._bundle(self._pending)
            require_company_of_store(self._database, bundle.company)
            self._admit(bundle.model)
        except STORE_ERRORS:
            raise  # the store is at fault, not the model
        except LeadscoreError as error:
            self._report(str(error).replace(f"{self._models}{os.sep}", ""))
        except Exception as error:  # noqa: BLE001 - whatever is in a damaged bundle, it must not end the service
            self._report(f"the promoted model cannot be used ({type(error).__name__}): promote another one.", error)
        else:
            self._deploy(self._pending, bundle, by=_promoter(champion))
            self.problem = None

    def _pointer(self) -> bytes | None:
        """Return the pointer's bytes; None if nothing was promoted."""
        try:
            return (self._models / POINTER).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            message = f"{POINTER} cannot be read ({error.strerror}): promote a model again."
            raise BundleError(message) from None

    def _bundle(self, pointer: bytes) -> tuple[Champion, CheckedBundle]:
        try:
            text = pointer.decode("utf-8")
        except UnicodeDecodeError:
            message = f"{POINTER} is not UTF-8 text: run leadscore rollback, or promote a model again."
            raise BundleError(message) from None
        champion = pointer_of(text, self._models)
        files = read_bundle_files(self._models / champion.bundle, where=champion.bundle)
        self._require(signer_of(files))
        return champion, verify_bundle(
            files, version=champion.version, fingerprint=champion.fingerprint, where=champion.bundle
        )

    def _deploy(self, pointer: bytes, bundle: CheckedBundle, *, by: str) -> None:
        with self._database.writing() as connection:
            if read_state(connection, _FOLLOWED) == _hash(pointer) or self._pointer() != pointer:
                return  # another process was faster, or something else was promoted meanwhile, which the next call sees
            at = self._now()
            store_bundle(connection, bundle, at=at)
            fingerprint = bundle.model.id.fingerprint
            deploy_stored(connection, "champion", fingerprint, source="promotion", by=by, at=at)
            write_state(connection, _FOLLOWED, _hash(pointer))

    def _is_followed(self, pointer: bytes) -> bool:
        with self._database.reading() as connection:
            return read_state(connection, _FOLLOWED) == _hash(pointer)

    def _is_overtaken(self) -> bool:
        """Return whether another champion was deployed since a promotion was found that cannot be used."""
        with self._database.reading() as connection:
            if _newest(connection) == self._newest:
                return False
        if self._pending is not None:
            with self._database.writing() as connection:
                write_state(connection, _FOLLOWED, _hash(self._pending))
        return True

    def _report(self, problem: str, cause: Exception | None = None) -> None:
        """Remember a problem, and log it once, however often the model is retried."""
        if self.problem != problem:
            _LOG.warning("the promoted model cannot be used: %s", problem, exc_info=cause)
        if self.problem is None:
            with self._database.reading() as connection:
                self._newest = _newest(connection)
        self.problem = problem


def _promoter(champion: Champion) -> str:
    """Return who promoted, as training recorded it."""
    who = (champion.move or {}).get("who")
    return who if is_label(who) else "promotion"


def _newest(connection: Connection) -> int:
    """Return the number of the newest deployment of a champion."""
    champion = deployments_in_force(connection).get("champion")
    return 0 if champion is None else champion.number


def _hash(pointer: bytes) -> str:
    return hashlib.sha256(pointer).hexdigest()


def file_stamp(path: Path) -> Stamp:
    """Return what changes whenever a file is replaced; None if there is no file."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_mtime_ns, stat.st_size
