"""
Deployments: which scorer has which role, and every scorer that ever answered, in the store.

The newest deployment of a role is in force for all processes on the store. A bundle is stored whole and verified, or
not at all; it stays there, so that its receipts can be recomputed long after other models have replaced it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from data.company_identity import CompanyIdentity
from models.bundle import load_files
from models.bundle_company import company_of_files
from models.conversion import ConversionModel
from models.packed_bundle import pack, unpack
from models.receipt import ScorerId
from models.scorecard import Scorecard
from models.scorecard_archive import keep_rules, kept_rules
from models.scorer import Scorer
from serving.errors import InvalidError, UnknownScorerError
from serving.store.audit_log import write_audit_entry
from serving.store.database import Database
from serving.store.ledger import note
from serving.store.tables import deployments, scorers

Role = Literal["champion", "shadow"]
Source = Literal["promotion", "deploy"]
_EARLIER_CHAMPIONS = 20
OWN_SHADOW = "This bundle is the champion in force, and a champion cannot be its own shadow: name another bundle."


@dataclass(frozen=True, slots=True)
class CheckedBundle:
    """
    A bundle whose hashes, structure and golden rows were verified.

    Attributes:
        model: the model in it.
        content: its files as one blob.
        is_labelled: whether its version is the registry's label, and not just the start of its fingerprint.
        company: whose history the model learned from; None in bundles of releases that named none.
    """

    model: ConversionModel
    content: bytes
    is_labelled: bool
    company: CompanyIdentity | None = None


@dataclass(frozen=True, slots=True)
class Deployment:
    """
    A scorer put into a role.

    Attributes:
        number: counts up from 1 over all roles.
        role: whether it answers or is only compared.
        scorer: which one; None leaves the role empty.
        source: a promotion that the service found in the models folder, or a direct deployment.
        deployed_at: when [us since 1970 UTC].
        deployed_by: a key's id or a user's name.
    """

    number: int
    role: Role
    scorer: ScorerId | None
    source: Source
    deployed_at: int
    deployed_by: str


def verify_bundle(
    files: Mapping[str, bytes], *, version: str | None = None, fingerprint: str | None = None, where: str = "the bundle"
) -> CheckedBundle:
    """
    Verify a bundle's hashes, structure and golden rows.

    Args:
        files: contents by name.
        version: the registry's label, if it is known.
        fingerprint: the expected fingerprint, if it is known.
        where: what messages call the place that the files came from.

    Raises:
        ModelError: the bundle is not as it was saved.
    """
    model = load_files(files, version=version, fingerprint=fingerprint, where=where)
    return CheckedBundle(model, pack(files), is_labelled=version is not None, company=company_of_files(files, where))


def store_bundle(connection: Connection, bundle: CheckedBundle, *, at: int) -> None:
    """
    Store a bundle; one that is stored already is overwritten, which repairs it, and gets the label that it comes with.

    Args:
        connection: holds the write lock.
        bundle: verified.
        at: the present instant [us since 1970 UTC].
    """
    scorer = bundle.model.id
    row: dict[str, Any] = {"kind": scorer.kind, "name": scorer.name, "content": bundle.content}
    stored = connection.execute(
        select(scorers.c.fingerprint).where(scorers.c.fingerprint == scorer.fingerprint)
    ).scalar()
    if stored is None:
        row |= {"fingerprint": scorer.fingerprint, "version": scorer.version, "stored_at": at}
        connection.execute(insert(scorers).values(row))
        return
    row |= {"version": scorer.version} if bundle.is_labelled else {}
    connection.execute(update(scorers).where(scorers.c.fingerprint == scorer.fingerprint).values(row))


def is_stored(connection: Connection, fingerprint: str) -> bool:
    """Return whether the store holds a scorer."""
    query = select(func.count()).select_from(scorers).where(scorers.c.fingerprint == fingerprint)
    return connection.execute(query).scalar_one() > 0


def store_rules(connection: Connection, card: Scorecard, *, at: int) -> None:
    """
    Store the point rules in use as they are now, unless they are stored already.

    Args:
        connection: holds the write lock.
        card: the rules, with their fit to history.
        at: the present instant [us since 1970 UTC].
    """
    scorer = card.id
    if not is_stored(connection, scorer.fingerprint):
        named = {"fingerprint": scorer.fingerprint, "kind": scorer.kind, "name": scorer.name, "version": scorer.version}
        connection.execute(insert(scorers).values(**named, content=keep_rules(card), stored_at=at))


def deploy_stored(
    connection: Connection, role: Role, fingerprint: str | None, *, source: Source, by: str, at: int
) -> Deployment:
    """
    Put a stored scorer into a role.

    Args:
        connection: holds the write lock.
        role: champion or shadow.
        fingerprint: which scorer; None leaves the role empty.
        source: a promotion or a direct deployment.
        by: a key's id or a user's name.
        at: the present instant [us since 1970 UTC].

    Raises:
        UnknownScorerError: the store does not hold it.
    """
    if fingerprint is not None and not is_stored(connection, fingerprint):
        raise UnknownScorerError(fingerprint)
    row = {"role": role, "fingerprint": fingerprint, "source": source, "deployed_at": at, "deployed_by": by}
    connection.execute(insert(deployments).values(row))
    made = deployments_in_force(connection)[role]
    note(connection, "deploy", [role, fingerprint or ""], says=scorer_words(made.scorer))
    return made


def scorer_words(scorer: ScorerId | None) -> str:
    """Return what people call a scorer in a role."""
    return "none" if scorer is None else f"{scorer.name} {scorer.version} ({scorer.fingerprint[:12]})"


def deployments_in_force(connection: Connection) -> dict[Role, Deployment]:
    """Return the newest deployment of each role that ever had one."""
    newest = select(func.max(deployments.c.id)).group_by(deployments.c.role)
    rows = connection.execute(_with_scorers().where(deployments.c.id.in_(newest)))
    return {deployment.role: deployment for deployment in map(_deployment, rows)}


def newest_deployments(connection: Connection, limit: int) -> list[Deployment]:
    """Return the newest deployments, the newest first."""
    query = _with_scorers().order_by(deployments.c.id.desc()).limit(limit)
    return [_deployment(row) for row in connection.execute(query)]


def earlier_champions(connection: Connection, number: int) -> list[ScorerId]:
    """Return the champions before a deployment, the newest first, each once."""
    before = (deployments.c.role == "champion") & (deployments.c.id < number) & deployments.c.fingerprint.is_not(None)
    rows = connection.execute(_with_scorers().where(before).order_by(deployments.c.id.desc()).limit(_EARLIER_CHAMPIONS))
    champions = dict.fromkeys(_deployment(row).scorer for row in rows)
    return [scorer for scorer in champions if scorer is not None]


def deploy_bundle(database: Database, bundle: CheckedBundle, role: Role, *, by: str, at: int) -> Deployment:
    """
    Store a bundle and put it into a role, both or neither, and audit it.

    Args:
        database: the store.
        bundle: verified.
        role: champion or shadow.
        by: a key's id or a user's name.
        at: the present instant [us since 1970 UTC].

    Raises:
        InvalidError: the bundle is the champion and shall be its own shadow.
    """
    scorer = bundle.model.id
    with database.writing() as connection:
        champion = deployments_in_force(connection).get("champion")
        if role == "shadow" and champion is not None and _has_scorer(champion, scorer.fingerprint):
            raise InvalidError(OWN_SHADOW)
        store_bundle(connection, bundle, at=at)
        made = deploy_stored(connection, role, scorer.fingerprint, source="deploy", by=by, at=at)
        target = f"{role}: {scorer.name} {made.scorer.version if made.scorer else ''} ({scorer.fingerprint[:12]})"
        write_audit_entry(connection, at=at, actor=by, action="models.deploy", target=target)
    return made


def _has_scorer(deployment: Deployment, fingerprint: str) -> bool:
    return deployment.scorer is not None and deployment.scorer.fingerprint == fingerprint


def remove_shadow(database: Database, *, by: str, at: int) -> Deployment:
    """Leave the role of the shadow empty, and audit it."""
    with database.writing() as connection:
        made = deploy_stored(connection, "shadow", None, source="deploy", by=by, at=at)
        write_audit_entry(connection, at=at, actor=by, action="models.remove", target="shadow")
    return made


def load_scorer(connection: Connection, fingerprint: str) -> Scorer:
    """
    Load any scorer that ever answered, and verify it again.

    Args:
        connection: reads the store.
        fingerprint: its fingerprint, as receipts name it.

    Raises:
        UnknownScorerError: the store does not hold it.
        ModelError: the stored scorer is damaged.
    """
    row = connection.execute(select(scorers).where(scorers.c.fingerprint == fingerprint)).one_or_none()
    if row is None:
        raise UnknownScorerError(fingerprint)
    return _scorer(row.kind, row.version, bytes(row.content), fingerprint)


@lru_cache(maxsize=6)
def _scorer(kind: str, version: str, content: bytes, fingerprint: str) -> Scorer:
    """Parse a scorer; the last few are cached, since successive receipts often share one."""
    if kind == "rules":
        return kept_rules(content, fingerprint=fingerprint)
    return load_files(unpack(content).files, version=version, fingerprint=fingerprint, where="the stored bundle")


def _with_scorers() -> Select[Any]:
    columns = [getattr(scorers.c, name) for name in ("kind", "name", "version")]
    return select(deployments, *columns).outerjoin(scorers, deployments.c.fingerprint == scorers.c.fingerprint)


def _deployment(row: Row[Any]) -> Deployment:
    scorer = None if row.fingerprint is None else ScorerId(row.kind, row.name, row.version, row.fingerprint)
    return Deployment(row.id, row.role, scorer, row.source, row.deployed_at, row.deployed_by)
