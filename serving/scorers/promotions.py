"""Promotions: what `leadscore promote` and `rollback` put in force in the models folder comes into the store."""

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
from serving.scorers.deployments import CheckedBundle, deploy_stored, deployments_in_force, store_bundle, verify_bundle
from serving.store.database import STORE_ERRORS, Database
from serving.store.state import read_state, write_state

_LOG = logging.getLogger("leadscore.serving")
_FOLLOWED = "promotion"
"""The mark that says which promotion was dealt with: the sha256 of the pointer. Two moves never write the same one."""

Stamp = tuple[int, int, int] | None


class Promotions:
    """
    Puts into the store what was promoted in a models folder, once, however many processes look.

    A promotion that cannot be used is a problem until it can, or until something else is promoted or deployed.

    Args:
        models: the folder.
        database: the store.
        now: the present instant [us since 1970 UTC].
        admit: raises if a scorer cannot answer on this store.
    """

    def __init__(
        self, models: Path, database: Database, *, now: Callable[[], int], admit: Callable[[Scorer], object]
    ) -> None:
        self._models = models
        self._database = database
        self._now = now
        self._admit = admit
        self._seen: Stamp = (0, 0, 0)
        self._newest = 0
        self._pending: bytes | None = None
        self.problem: str | None = None

    def follow(self, *, again: bool = False) -> None:
        """
        Look whether something was promoted, and put it in force.

        Args:
            again: whether to try once more what could not be used.
        """
        if self.problem is not None and self._is_overtaken():
            self.problem = None
        stamp = file_stamp(self._models / POINTER)
        if stamp == self._seen and not (again and self.problem is not None):
            return
        self._take()
        self._seen = stamp

    def _take(self) -> None:
        self._pending = None
        try:
            self._pending = self._pointer()
            if self._pending is None or self._is_followed(self._pending):
                self.problem = None
                return
            named, bundle = self._bundle(self._pending)
            self._admit(bundle.model)
        except STORE_ERRORS:
            raise  # it is the store that cannot be used
        except LeadscoreError as error:
            self._tell(str(error).replace(f"{self._models}{os.sep}", ""))
        except Exception as error:  # noqa: BLE001 - whatever is in a damaged bundle, it must not end the service
            self._tell(f"the promoted model cannot be used ({type(error).__name__}): promote another one.", error)
        else:
            self._put_in_force(self._pending, bundle, by=_mover(named))
            self.problem = None

    def _pointer(self) -> bytes | None:
        """Give the pointer's bytes; None where nothing was promoted."""
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
        named = pointer_of(text, self._models)
        files = read_bundle_files(self._models / named.bundle, where=named.bundle)
        return named, verify_bundle(files, version=named.version, fingerprint=named.fingerprint, where=named.bundle)

    def _put_in_force(self, pointer: bytes, bundle: CheckedBundle, *, by: str) -> None:
        with self._database.writing() as connection:
            if read_state(connection, _FOLLOWED) == _mark(pointer) or self._pointer() != pointer:
                return  # another process was faster, or something else was promoted meanwhile: the next look sees it
            at = self._now()
            store_bundle(connection, bundle, at=at)
            fingerprint = bundle.model.id.fingerprint
            deploy_stored(connection, "champion", fingerprint, source="promotion", by=by, at=at)
            write_state(connection, _FOLLOWED, _mark(pointer))

    def _is_followed(self, pointer: bytes) -> bool:
        with self._database.reading() as connection:
            return read_state(connection, _FOLLOWED) == _mark(pointer)

    def _is_overtaken(self) -> bool:
        """Say whether somebody deployed another champion since the promotion was found that cannot be used."""
        with self._database.reading() as connection:
            if _newest(connection) == self._newest:
                return False
        if self._pending is not None:
            with self._database.writing() as connection:
                write_state(connection, _FOLLOWED, _mark(self._pending))
        return True

    def _tell(self, problem: str, cause: Exception | None = None) -> None:
        """Remember a problem, and log it once, however often the model is tried."""
        if self.problem != problem:
            _LOG.warning("the promoted model cannot be used: %s", problem, exc_info=cause)
        if self.problem is None:
            with self._database.reading() as connection:
                self._newest = _newest(connection)
        self.problem = problem


def _mover(named: Champion) -> str:
    """Give who promoted, as training wrote it."""
    who = (named.move or {}).get("who")
    return who if is_label(who) else "promotion"


def _newest(connection: Connection) -> int:
    """Give the number of the newest deployment of a champion."""
    champion = deployments_in_force(connection).get("champion")
    return 0 if champion is None else champion.number


def _mark(pointer: bytes) -> str:
    return hashlib.sha256(pointer).hexdigest()


def file_stamp(path: Path) -> Stamp:
    """Give what changes whenever a file is replaced; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
