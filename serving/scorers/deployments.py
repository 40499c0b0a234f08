"""
Deployments: which scorer was put where, and every scorer that ever answered, in the store.

The newest deployment of a role is in force, for all processes on the store. A bundle comes into the store whole and
verified, or not at all; it stays there, so that receipts can be given again when other models have long followed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from data.instants import iso
from models.bundle import load_files
from models.conversion import ConversionModel
from models.packed_bundle import pack, unpack
from models.receipt import ScorerId, scorer_json
from models.scorecard import Scorecard
from models.scorecard_archive import keep_rules, kept_rules
from models.scorer import Scorer
from serving.errors import UnknownScorerError
from serving.store.audit_log import write_audit_entry
from serving.store.database import Database
from serving.store.tables import deployments, scorers

Role = Literal["champion", "shadow"]
Source = Literal["promotion", "deploy"]
ROLES: tuple[Role, ...] = ("champion", "shadow")
_MOST_EARLIER = 20


@dataclass(frozen=True, slots=True)
class CheckedBundle:
    """
    A bundle that was verified: hashes, structure and golden rows.

    Attributes:
        model: what it holds.
        content: its files as one blob.
        is_labelled: whether its version is the registry's label, and not only the start of its fingerprint.
    """

    model: ConversionModel
    content: bytes
    is_labelled: bool


@dataclass(frozen=True, slots=True)
class Deployment:
    """
    A scorer put in a role.

    Attributes:
        number: counted from 1 over all roles.
        role: who answers, or who is only compared.
        scorer: which one; None takes whoever was there away.
        source: a promotion that the service found in the models folder, or a deployment.
        deployed_at: when [us since 1970 UTC].
        deployed_by: a key's id or the user of the machine.
    """

    number: int
    role: Role
    scorer: ScorerId | None
    source: Source
    deployed_at: int
    deployed_by: str

    def as_json(self) -> dict[str, Any]:
        """Write it as the API gives it."""
        return {
            "number": self.number,
            "role": self.role,
            "scorer": None if self.scorer is None else scorer_json(self.scorer),
            "source": self.source,
            "deployed_at": iso(self.deployed_at),
            "deployed_by": self.deployed_by,
        }


def verify_bundle(
    files: Mapping[str, bytes], *, version: str | None = None, fingerprint: str | None = None, where: str = "the bundle"
) -> CheckedBundle:
    """
    Verify a bundle: hashes, structure, golden rows.

    Args:
        files: name → bytes.
        version: the registry's label, if it is known.
        fingerprint: the bundle that is expected, if that is known.
        where: how a message shall name the place they came from.

    Raises:
        ModelError: it is not as it was saved.
    """
    model = load_files(files, version=version, fingerprint=fingerprint, where=where)
    return CheckedBundle(model, pack(files), is_labelled=version is not None)


def store_bundle(connection: Connection, bundle: CheckedBundle, *, at: int) -> None:
    """
    Keep a bundle; one that is there already is written anew, which mends it, and takes the label it comes with.

    Args:
        connection: holds the write lock.
        bundle: verified.
        at: the present instant [us since 1970 UTC].
    """
    found = bundle.model.id
    row: dict[str, Any] = {"kind": found.kind, "name": found.name, "content": bundle.content}
    there = connection.execute(select(scorers.c.fingerprint).where(scorers.c.fingerprint == found.fingerprint)).scalar()
    if there is None:
        row |= {"fingerprint": found.fingerprint, "version": found.version, "stored_at": at}
        connection.execute(insert(scorers).values(row))
        return
    row |= {"version": found.version} if bundle.is_labelled else {}
    connection.execute(update(scorers).where(scorers.c.fingerprint == found.fingerprint).values(row))


def is_stored(connection: Connection, fingerprint: str) -> bool:
    """Say whether the store holds a scorer."""
    asked = select(func.count()).select_from(scorers).where(scorers.c.fingerprint == fingerprint)
    return connection.execute(asked).scalar_one() > 0


def store_rules(connection: Connection, card: Scorecard, *, at: int) -> None:
    """
    Keep point rules that answer, as they are now; those that are there already stay.

    Args:
        connection: holds the write lock.
        card: the rules with what history taught about them.
        at: the present instant [us since 1970 UTC].
    """
    found = card.id
    if not is_stored(connection, found.fingerprint):
        named = {"fingerprint": found.fingerprint, "kind": found.kind, "name": found.name, "version": found.version}
        connection.execute(insert(scorers).values(**named, content=keep_rules(card), stored_at=at))


def deploy_stored(
    connection: Connection, role: Role, fingerprint: str | None, *, source: Source, by: str, at: int
) -> Deployment:
    """
    Put a scorer that the store holds in a role.

    Args:
        connection: holds the write lock.
        role: where.
        fingerprint: which one; None takes whoever is there away.
        source: how it came to that.
        by: a key's id or the user of the machine.
        at: the present instant [us since 1970 UTC].

    Raises:
        UnknownScorerError: the store does not hold it.
    """
    if fingerprint is not None and not is_stored(connection, fingerprint):
        raise UnknownScorerError(fingerprint)
    row = {"role": role, "fingerprint": fingerprint, "source": source, "deployed_at": at, "deployed_by": by}
    connection.execute(insert(deployments).values(row))
    return deployments_in_force(connection)[role]


def deployments_in_force(connection: Connection) -> dict[Role, Deployment]:
    """Give the newest deployment of each role that ever had one."""
    newest = select(func.max(deployments.c.id)).group_by(deployments.c.role)
    found = (_deployment(row) for row in connection.execute(_all().where(deployments.c.id.in_(newest))))
    return {one.role: one for one in found}


def newest_deployments(connection: Connection, limit: int) -> list[Deployment]:
    """Give the newest deployments first."""
    asked = _all().order_by(deployments.c.id.desc()).limit(limit)
    return [_deployment(row) for row in connection.execute(asked)]


def earlier_champions(connection: Connection, number: int) -> list[ScorerId]:
    """Give who was champion before a deployment, the newest first, each once."""
    before = (deployments.c.role == "champion") & (deployments.c.id < number) & deployments.c.fingerprint.is_not(None)
    rows = connection.execute(_all().where(before).order_by(deployments.c.id.desc()).limit(_MOST_EARLIER))
    found = dict.fromkeys(_deployment(row).scorer for row in rows)
    return [scorer for scorer in found if scorer is not None]


def deploy_bundle(database: Database, bundle: CheckedBundle, role: Role, *, by: str, at: int) -> Deployment:
    """
    Keep a bundle and put it in a role, both or neither, and note who did.

    Args:
        database: the store.
        bundle: verified.
        role: where.
        by: a key's id or the user of the machine.
        at: the present instant [us since 1970 UTC].
    """
    found = bundle.model.id
    with database.writing() as connection:
        store_bundle(connection, bundle, at=at)
        made = deploy_stored(connection, role, found.fingerprint, source="deploy", by=by, at=at)
        target = f"{role}: {found.name} {made.scorer.version if made.scorer else ''} ({found.fingerprint[:12]})"
        write_audit_entry(connection, at=at, actor=by, action="models.deploy", target=target)
    return made


def remove_shadow(database: Database, *, by: str, at: int) -> Deployment:
    """Compare nobody with the champion any longer, and note who said so."""
    with database.writing() as connection:
        made = deploy_stored(connection, "shadow", None, source="deploy", by=by, at=at)
        write_audit_entry(connection, at=at, actor=by, action="models.remove", target="shadow")
    return made


def load_scorer(connection: Connection, fingerprint: str) -> Scorer:
    """
    Give any scorer that ever answered, verified anew.

    Args:
        connection: reads the store.
        fingerprint: as receipts name it.

    Raises:
        UnknownScorerError: the store does not hold it.
        ModelError: what it holds is damaged.
    """
    row = connection.execute(select(scorers).where(scorers.c.fingerprint == fingerprint)).one_or_none()
    if row is None:
        raise UnknownScorerError(fingerprint)
    return _scorer(row.kind, row.version, bytes(row.content), fingerprint)


@lru_cache(maxsize=6)
def _scorer(kind: str, version: str, content: bytes, fingerprint: str) -> Scorer:
    """Read a scorer, or remember it: receipts that are given again one after the other share a few."""
    if kind == "rules":
        return kept_rules(content, fingerprint=fingerprint)
    return load_files(unpack(content).files, version=version, fingerprint=fingerprint, where="the stored bundle")


def _all() -> Select[Any]:
    columns = [getattr(scorers.c, name) for name in ("kind", "name", "version")]
    return select(deployments, *columns).outerjoin(scorers, deployments.c.fingerprint == scorers.c.fingerprint)


def _deployment(row: Row[Any]) -> Deployment:
    scorer = None if row.fingerprint is None else ScorerId(row.kind, row.name, row.version, row.fingerprint)
    return Deployment(row.id, row.role, scorer, row.source, row.deployed_at, row.deployed_by)
