"""What the doctor looks at in the store; nothing is created or migrated."""

import os
from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, func, select

from data.instants import DAY_US, SECOND_US, iso, now_us, span_in_words
from serving.callers.keys import Key, all_keys
from serving.errors import StoreError
from serving.scores.backlog import read_backlog
from serving.scores.receipt_retention import receipt_counts
from serving.settings import Settings
from serving.store.database import Database
from serving.store.schema_version import NEWEST
from serving.store.state import read_state
from serving.store.store_errors import STORE_ERRORS, name_of
from serving.store.store_health import (
    LEAST_FREE_BYTES,
    disk_free_bytes,
    newest_fact_at,
    prove_writable,
    size_bytes,
    step_of_store,
)
from serving.store.tables import quarantine
from serving.verbs.examination import ExaminationResult, fine, warning, wrong
from serving.worker import SWEPT

_MIB = 2**20
_LEAST_COMFORTABLE_BYTES = 1024 * _MIB
_LATE_US = 60 * SECOND_US
_LARGEST_CLOCK_OFFSET_US = SECOND_US
_SWEEPS_MISSED = 3
_EXPIRES_SOON_US = 14 * DAY_US
_MOST_NAMED = 3


def examine_file(settings: Settings) -> Iterator[ExaminationResult]:
    """Yield whether the store is there, whose it is, and which step its tables are at."""
    path = settings.database_file
    if path is not None and path.exists() and path.stat().st_uid != os.geteuid():
        says = f"{path} belongs to user {path.stat().st_uid}, and this is user {os.geteuid()}"
        yield wrong("store", says, cure="run the command as the user of the service: sudo -u leadscore …")
        return
    try:
        step = step_of_store(settings.database)
    except StoreError as error:
        yield wrong("store", str(error), cure="start the service, which makes it; or name it in LEADSCORE_DATABASE")
        return
    if step == NEWEST:
        yield fine("schema", f"step {step}, the one of this release")
    else:
        says = f"the tables are at step {step or 'none'}, this release works with {NEWEST}"
        yield wrong("schema", says, cure="back the store up, then restart the service with this release")


def examine_store(settings: Settings, database: Database, *, now: int) -> Iterator[ExaminationResult]:
    """
    Yield what the store says about itself and about the work behind it.

    Args:
        settings: the settings of the service.
        database: the store.
        now: the present instant [us since 1970 UTC].
    """
    yield _writable(database)
    yield _disk(database)
    with database.reading() as connection:
        yield _clock(connection, settings, database, now)
        yield _backlog(connection, now)
        yield _sweep(connection, settings, now)
        yield _quarantine(connection)
        yield _receipts(connection, now)
        yield _keys(all_keys(connection), settings, now)


def _writable(database: Database) -> ExaminationResult:
    try:
        prove_writable(database)
    except STORE_ERRORS as error:
        cure = "see that the disk is neither full nor read-only, and who holds a lock"
        return wrong("store", f"{database.display_url} takes no row ({name_of(error)})", cure=cure)
    return fine("store", f"{database.display_url} takes rows, {size_bytes(database) // _MIB:,} MiB")


def _disk(database: Database) -> ExaminationResult:
    free = disk_free_bytes(database)
    if free is None:
        return fine("disk", "that of PostgreSQL's server: look there")
    says = f"{free // _MIB:,} MiB free"
    if free < LEAST_FREE_BYTES:
        return wrong("disk", says, cure="make room at once: facts are refused")
    if free < max(_LEAST_COMFORTABLE_BYTES, size_bytes(database)):
        return warning("disk", says, cure="make room for the store once more: an erasure rewrites its file")
    return fine("disk", says)


def _clock(connection: Connection, settings: Settings, database: Database, now: int) -> ExaminationResult:
    newest, offset = newest_fact_at(connection), database.clock_offset_us(now_us)
    if newest is not None and newest > now + settings.clock_skew_s * SECOND_US:
        return wrong("clock", f"{iso(now)}, behind the newest fact of {iso(newest)}", cure="set the clock, by NTP")
    if abs(offset) > _LARGEST_CLOCK_OFFSET_US:
        says = f"PostgreSQL's clock differs by {offset / SECOND_US:+.1f} s"
        return warning("clock", says, cure="let both machines set their clocks by NTP")
    return fine("clock", f"{iso(now)}, the newest fact is of {iso(newest) if newest is not None else 'no time yet'}")


def _backlog(connection: Connection, now: int) -> ExaminationResult:
    backlog = read_backlog(connection)
    waited_us = 0 if backlog.oldest_since is None else max(0, now - backlog.oldest_since)
    says = f"{backlog.leads:,} leads wait to be scored, the first for {span_in_words(waited_us)}"
    if waited_us > _LATE_US:
        return wrong("backlog", says, cure="is the service running? Its log says what the worker waits for")
    return fine("backlog", says if backlog.leads else "no lead waits to be scored")


def _sweep(connection: Connection, settings: Settings, now: int) -> ExaminationResult:
    noted, every_us = read_state(connection, SWEPT), int(settings.sweep_every_s * SECOND_US)
    if noted is None:
        return warning("sweep", "none has ended yet", cure="wait for the first one, minutes after the first start")
    says = f"the last one ended {span_in_words(max(0, now - int(noted)))} ago"
    if now - int(noted) > _SWEEPS_MISSED * every_us:
        return wrong("sweep", f"{says}, one is due every {span_in_words(every_us)}", cure="restart the service")
    return fine("sweep", says)


def _quarantine(connection: Connection) -> ExaminationResult:
    waiting = select(func.count()).where(quarantine.c.released_at.is_(None))
    count = connection.execute(waiting).scalar_one()
    if count:
        cure = "see GET /v1/quarantine: a caller's clock is ahead; release or discard them"
        return warning("quarantine", f"{count:,} facts are ahead of our clock", cure=cure)
    return fine("quarantine", "empty")


def _receipts(connection: Connection, now: int) -> ExaminationResult:
    counts = receipt_counts(connection)
    if counts is None:
        return fine("receipts", "not counted yet")
    oldest = "none" if counts.oldest is None else f"{span_in_words(max(0, now - counts.oldest))} old"
    return fine("receipts", f"{counts.stored:,}, {counts.last_day:,} of the last day, the oldest {oldest}")


def _keys(keys: Sequence[Key], settings: Settings, now: int) -> ExaminationResult:
    valid = [key for key in keys if key.revoked_at is None and not key.has_expired(now)]
    if not valid and settings.keys == "required":
        return wrong("keys", "there is none, so nobody can call", cure="leadscore keys create NAME --scope …")
    ending = [
        key
        for key in valid
        if key.replaced_by is None and key.expires_at is not None and key.expires_at < now + _EXPIRES_SOON_US
    ]
    if ending:
        named = ", ".join(f"{key.name} ({iso(key.expires_at or 0)[:10]})" for key in ending[:_MOST_NAMED])
        says = f"{len(ending)} of {len(valid)} expire within 14 days: {named}"
        return warning("keys", says, cure="leadscore keys rotate KEY_ID, and hand the new ones out")
    return fine("keys", f"{len(valid)} in force, none expires within 14 days")
