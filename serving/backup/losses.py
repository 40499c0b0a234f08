"""What would be lost if a backup took the store's place, in numbers and in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from data.instants import iso
from serving.backup.backup_folder import BackupManifest
from serving.backup.store_summary import StoreSummary, rows_since, summarise_store
from serving.store.ledger import LedgerContent

_KINDS = {
    "facts": ("lead_versions", "activities", "outcomes", "merges", "quarantine"),
    "handovers": ("routes",),
    "receipts": ("receipts",),
    "keys": ("api_keys",),
    "deployments": ("deployments",),
}
_ALSO = {
    "facts": "send them again from where they came from",
    "handovers": "these leads may be handed over a second time",
    "receipts": "what was answered can no longer be shown",
    "keys": "whoever holds one needs a new one",
    "deployments": "deploy again what shall be in force",
}


@dataclass(frozen=True, slots=True)
class Losses:
    """
    What a store holds that a backup of it does not.

    Attributes:
        taken_at: when the backup was taken [us since 1970 UTC].
        rows: how many rows would be lost, by what they are.
        erased: ids that were erased since; they will be erased again.
        revoked: keys that were revoked since; they will be revoked again.
        scorers: by role, what is in force now and what the backup would put in its place.
        remarks: what else whoever decides should know.
    """

    taken_at: int
    rows: Mapping[str, int]
    erased: int
    revoked: tuple[str, ...]
    scorers: Mapping[str, tuple[str, str]]
    remarks: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "taken_at": iso(self.taken_at),
            "lost": dict(self.rows),
            "erased_since": self.erased,
            "revoked_since": list(self.revoked),
            "scorers": {role: {"now": now, "then": then} for role, (now, then) in self.scorers.items()},
            "remarks": list(self.remarks),
        }

    def sentences(self) -> list[str]:
        """Return it in sentences."""
        lost = [f"{count:,} {kind} would be lost: {_ALSO[kind]}." for kind, count in self.rows.items() if count]
        models = [f"The {role} goes back from {now} to {then}." for role, (now, then) in self.scorers.items()]
        again = [f"{self.erased:,} ids of leads erased since will be erased again."] if self.erased else []
        again += [f"Keys revoked since will be revoked again: {', '.join(self.revoked)}."] if self.revoked else []
        nothing = [] if lost or models or self.remarks else ["The store holds nothing that the backup does not."]
        return [f"The backup is of {iso(self.taken_at)}.", *self.remarks, *lost, *models, *again, *nothing]


def compare_with_store(backup: BackupManifest, connection: Connection, ledger: LedgerContent) -> Losses:
    """Compare a backup with the store that it would replace."""
    present = summarise_store(connection)
    if present.epoch.store_id != backup.store.epoch.store_id:
        remark = f"The present store is another one ({present.epoch}); the backup is of {backup.store.epoch}."
        return _by_ledger(backup, ledger, remark, rows=_counted(present))
    rows = {
        kind: sum(rows_since(connection, table, backup.store.tables[table]) for table in tables)
        for kind, tables in _KINDS.items()
    }
    revoked = set(present.revoked_keys) - set(backup.store.revoked_keys)
    noted = _by_ledger(backup, ledger)
    erased = present.tables["tombstones"].rows - backup.store.tables["tombstones"].rows
    return Losses(
        backup.taken_at,
        rows,
        max(erased, noted.erased),
        tuple(sorted(revoked | set(noted.revoked))),
        _changed(present.scorers, backup.store.scorers),
        noted.remarks,
    )


def compare_with_ledger(backup: BackupManifest, ledger: LedgerContent, why: str) -> Losses:
    """Return what is known without the store: only what was noted outside it since the backup."""
    return _by_ledger(backup, ledger, f"What is lost of facts and handovers is not known: {why}.")


def _by_ledger(
    backup: BackupManifest, ledger: LedgerContent, *remarks: str, rows: Mapping[str, int] | None = None
) -> Losses:
    since = [entry for entry in ledger.entries if entry.at > backup.taken_at]
    erased = {hashed for entry in since if entry.act == "erase" for hashed in entry.targets}
    revoked = {key for entry in ledger.entries if entry.act == "revoke" for key in entry.targets}
    now = {entry.targets[0]: entry.says for entry in ledger.entries if entry.act == "deploy"}
    damaged = [f"{ledger.damaged:,} lines of the ledger cannot be read."] if ledger.damaged else []
    return Losses(
        backup.taken_at,
        rows or {},
        len(erased),
        tuple(sorted(revoked - set(backup.store.revoked_keys))),
        _changed(now, backup.store.scorers),
        (*remarks, *damaged),
    )


def _counted(present: StoreSummary) -> dict[str, int]:
    return {kind: sum(present.tables[table].rows for table in tables) for kind, tables in _KINDS.items()}


def _changed(now: Mapping[str, str], then: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return the roles whose scorer differs; one without a line in the ledger did not change."""
    return {role: (name, then.get(role, "none")) for role, name in now.items() if name != then.get(role, "none")}
