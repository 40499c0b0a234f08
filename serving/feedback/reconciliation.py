# ruff: noqa: S608 - this is SQL of our own; ids go in as parameters, and numbers are numbers
"""
Recheck: served scores compared with what the batch engine computes from the same facts as of the same instant.

Live features run as SQL of the store, training sets come from DuckDB. Both are compiled from one expression; this check
measures every night that they agree on what was really served. It recomputes a sample of receipts from the facts of
their leads and of the other leads of their accounts. Values that differ because a colleague was erased are no fault,
and are counted apart.
"""

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.markup import escape

from data.contract import AttributeType
from data.instants import HOUR_US, iso
from data.operational_store import Moment, OperationalStore
from data.progress import Progress, silent
from data.store_copy import Shape, copy_facts
from data.words.playbook import Business
from features.catalog import Catalog
from features.feature import Value
from features.reducers import AttributeReducer
from models.errors import ModelError
from serving.errors import RecheckError, UnknownScorerError
from serving.scorers.deployments import load_scorer
from serving.scores.receipt_history import same_value
from serving.store.changed_accounts import changed_by_erasure
from serving.store.database import Database

_COLLEAGUES = (
    "SELECT DISTINCT o.lead_id FROM lead_versions AS o WHERE o.account_id IN"
    " (SELECT v.account_id FROM lead_versions AS v WHERE {leads} AND v.account_id IS NOT NULL)"
)


@dataclass(frozen=True, slots=True)
class FeatureDifference:
    """One feature of one receipt that differs; ``recomputed`` is None if nothing was known."""

    receipt_id: str
    lead_id: str
    as_of: int
    feature: str
    served: Value
    recomputed: Value

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {**asdict(self), "as_of": iso(self.as_of)}


@dataclass(frozen=True, slots=True)
class RecheckResult:
    """
    The result of a recheck.

    Attributes:
        given: receipts served in the hours that were checked.
        sampled: receipts in the sample.
        seed: the seed that draws the same sample again.
        leads: leads whose facts were read.
        values: feature values that were compared.
        unknown: sampled receipts that could not be recomputed, because their scorer is missing or damaged in the store.
        differences: every value that differs and should not.
        changed_by_erasure: values of accounts that differ because a colleague was erased.
    """

    given: int
    sampled: int
    seed: int
    leads: int
    values: int
    unknown: tuple[str, ...]
    differences: tuple[FeatureDifference, ...]
    changed_by_erasure: tuple[FeatureDifference, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every value in the sample is what was served, or was changed by an erasure."""
        return not self.differences and not self.unknown

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        names = ("differences", "changed_by_erasure")
        differences = {name: [difference.as_json() for difference in getattr(self, name)] for name in names}
        return {**asdict(self), **differences, "passed": self.passed}

    def show(self, console: Console) -> None:
        """Print it, with every difference on its own line."""
        sample = f"{self.sampled:,} of {self.given:,} receipts (seed {self.seed})"
        console.print(f"Recomputed: {sample}, {self.values:,} values, with the facts of {self.leads:,} leads.")
        for difference in self.differences:
            console.print(escape(_line(difference)), soft_wrap=True)
        for receipt_id in self.unknown:
            console.print(f"receipt {receipt_id}: its scorer is not in the store, or is damaged there.")
        wrong = len({difference.receipt_id for difference in self.differences})
        if self.changed_by_erasure:
            receipts = len({difference.receipt_id for difference in self.changed_by_erasure})
            console.print(
                f"{len(self.changed_by_erasure):,} values of {receipts:,} receipts were changed by an erasure: a"
                " colleague who counted then is no longer known."
            )
        console.print(
            f"[green]Every {'other ' if self.changed_by_erasure else ''}value is what was served.[/]"
            if self.passed
            else f"[red]{len(self.differences):,} values of {wrong:,} receipts differ; {len(self.unknown):,} receipts"
            " could not be recomputed.[/]"
        )


def _line(difference: FeatureDifference) -> str:
    about = (
        f"receipt {difference.receipt_id}: {difference.feature} of {difference.lead_id} as of {iso(difference.as_of)}"
    )
    return f"{about} was served as {_worded(difference.served)}, history gives {_worded(difference.recomputed)}"


def _worded(value: Value) -> str:
    return "missing" if value is None else repr(value)


def recheck(
    database: Database,
    business: Business,
    *,
    now_us: int,
    sample: int = 1000,
    hours: float = 24,
    seed: int,
    progress: Progress = silent,
) -> RecheckResult:
    """
    Recompute a sample of receipts with the batch engine and compare every feature value.

    Args:
        database: the store.
        business: names the types of attributes.
        now_us: the present instant [us since 1970 UTC].
        sample: how many receipts at most.
        hours: how far back receipts are drawn from.
        seed: of the random sample.
        progress: called with how far it has come.

    Raises:
        RecheckError: the batch engine is not installed.
    """
    _require_batch_engine()
    url = database.url.render_as_string(hide_password=False)
    with OperationalStore(url).moment() as moment, tempfile.TemporaryDirectory() as scratch:
        receipts, given = _sample(moment, since=now_us - round(hours * HOUR_US), sample=sample, seed=seed)
        catalogs = _catalogs(database, set(receipts["scorer"]))
        leads = _with_accounts(moment, sorted(set(receipts["lead_id"])))
        shape = Shape(_types(business, catalogs.values()))
        copy_facts(moment, Path(scratch), shape=shape, lead_ids=leads, progress=progress)
        known = receipts[receipts["scorer"].isin(list(catalogs))]
        differences = tuple(_differences(Path(scratch), known, catalogs, progress))
    excused = _changed_by_erasure(database, differences, catalogs.values())
    return RecheckResult(
        given=given,
        sampled=len(receipts),
        seed=seed,
        leads=len(leads),
        values=sum(len(catalogs[scorer].features) for scorer in known["scorer"]),
        unknown=tuple(receipts["receipt_id"][~receipts["scorer"].isin(list(catalogs))]),
        differences=tuple(difference for difference in differences if difference not in excused),
        changed_by_erasure=excused,
    )


def _require_batch_engine() -> None:
    try:
        import data.importing.warehouse  # noqa: F401, PLC0415 - only whether it can be is query
    except ModuleNotFoundError:
        message = (
            "The features of history need DuckDB, which a server does without: install leadscore[history] to recheck."
        )
        raise RecheckError(message) from None


def _sample(moment: Moment, *, since: int, sample: int, seed: int) -> tuple[pd.DataFrame, int]:
    """Draw a random sample of the receipts since an instant; return it and how many there were."""
    query = f"SELECT receipt_id FROM receipts WHERE as_of >= {int(since)} ORDER BY receipt_id{moment.binary}"
    ids = [receipt_id for rows in moment.rows(query) for (receipt_id,) in rows]
    chosen_rows = np.random.default_rng(seed).choice(len(ids), size=min(sample, len(ids)), replace=False)
    chosen = json.dumps([ids[row] for row in sorted(chosen_rows)])
    columns = ["receipt_id", "lead_id", "as_of", "scorer", "feature_values"]
    named = ", ".join(columns)
    where, order = moment.of_leads("receipt_id"), f"receipt_id{moment.binary}"
    rows = moment.rows(f"SELECT {named} FROM receipts WHERE {where} ORDER BY {order}", (chosen,))
    return pd.DataFrame([row for batch in rows for row in batch], columns=columns), len(ids)


def _catalogs(database: Database, fingerprints: set[str]) -> dict[str, Catalog]:
    """Return the features of each scorer; a scorer that is missing or damaged is left out."""
    catalogs = {}
    with database.reading() as connection:
        for fingerprint in sorted(fingerprints):
            try:
                catalogs[fingerprint] = load_scorer(connection, fingerprint).catalog
            except (UnknownScorerError, ModelError):
                continue
    return catalogs


def _with_accounts(moment: Moment, lead_ids: Sequence[str]) -> list[str]:
    """Return the leads and every lead that ever shared an account with one of them."""
    query = _COLLEAGUES.format(leads=moment.of_leads("v.lead_id"))
    rows = moment.rows(query, (json.dumps(list(lead_ids)),))
    return sorted({*lead_ids, *(lead_id for batch in rows for (lead_id,) in batch)})


def _types(business: Business, catalogs: Iterable[Catalog]) -> dict[str, AttributeType]:
    """Return the types of attributes; those that a scorer was made with take precedence over today's playbook."""
    features = (feature.reduce for catalog in catalogs for feature in catalog.features)
    read = {reduce.name: AttributeType(reduce.type) for reduce in features if isinstance(reduce, AttributeReducer)}
    return {**business.attribute_types, **read}


def _differences(
    tables: Path, receipts: pd.DataFrame, catalogs: Mapping[str, Catalog], progress: Progress
) -> Iterator[FeatureDifference]:
    from data.importing.warehouse import Warehouse  # noqa: PLC0415 - DuckDB, which a server does not have
    from features.history.over_history import compute_features  # noqa: PLC0415

    warehouse = Warehouse.of_tables(tables)
    try:
        for done, (scorer, its_receipts) in enumerate(receipts.groupby("scorer", sort=True)):
            progress("computing features", done, receipts["scorer"].nunique())
            catalog = catalogs[str(scorer)]
            snapshots = its_receipts[["lead_id", "as_of"]].drop_duplicates().reset_index(drop=True)
            computed = compute_features(warehouse, snapshots, catalog)
            yield from _compared(its_receipts.merge(computed, on=["lead_id", "as_of"], validate="many_to_one"), catalog)
    finally:
        warehouse.connection.disconnect()


def _compared(receipts: pd.DataFrame, catalog: Catalog) -> Iterator[FeatureDifference]:
    for row in receipts.to_dict("records"):
        served = json.loads(row["feature_values"])
        if len(served) != len(catalog.names):
            count = len(served), len(catalog.names)
            yield FeatureDifference(row["receipt_id"], row["lead_id"], int(row["as_of"]), "values", *count)
            continue
        for name, value in zip(catalog.names, served, strict=True):
            computed = _plain(row[name])
            if not same_value(value, computed):
                yield FeatureDifference(row["receipt_id"], row["lead_id"], int(row["as_of"]), name, value, computed)


def _changed_by_erasure(
    database: Database, differences: Sequence[FeatureDifference], catalogs: Iterable[Catalog]
) -> tuple[FeatureDifference, ...]:
    """Return those differences that follow from an erasure: of features of an account that lost a lead."""
    of_account = {feature.name for catalog in catalogs for feature in catalog.features if feature.over == "account"}
    served = {(difference.lead_id, difference.as_of) for difference in differences if difference.feature in of_account}
    with database.reading() as connection:
        changed = {at for at in served if changed_by_erasure(connection, *at)}
    return tuple(
        difference
        for difference in differences
        if difference.feature in of_account and (difference.lead_id, difference.as_of) in changed
    )


def _plain(value: Any) -> Value:
    """Return a cell of a frame as a plain value; None if it is missing."""
    if isinstance(value, str):
        return value
    return None if pd.isna(value) else float(value)
