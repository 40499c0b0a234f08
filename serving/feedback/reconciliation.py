# ruff: noqa: S608 - this is SQL of our own; ids go in as parameters, and numbers are numbers
"""
Reconciling: what the service served, held against what the batch engine makes of the same facts as of the same instant.

Live features run as SQL of the store, training sets come from DuckDB. Both are compiled from one expression, and this
measures every night that they agree on what was really served: a sample of receipts is computed anew, on the facts of
their leads and of the other leads of their accounts.
"""

import json
import math
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.markup import escape

from data.contract import AttributeType
from data.instants import HOUR_US, iso
from data.operational_store import Moment, OperationalStore
from data.playbook import Business
from data.progress import Progress, silent
from data.store_copy import Shape, copy_facts
from features.catalog import Catalog
from features.feature import Value
from features.reducers import AttributeValue
from models.errors import ModelError
from serving.errors import RecheckError, UnknownScorerError
from serving.scorers.deployments import load_scorer
from serving.store.database import Database

_EQUAL = 1e-9
_COLLEAGUES = (
    "SELECT DISTINCT o.lead_id FROM lead_versions AS o WHERE o.account_id IN"
    " (SELECT v.account_id FROM lead_versions AS v WHERE {asked} AND v.account_id IS NOT NULL)"
)


@dataclass(frozen=True, slots=True)
class FeatureDifference:
    """One feature of one receipt that came out otherwise; ``recomputed`` is None where nothing was known."""

    receipt_id: str
    lead_id: str
    as_of: int
    feature: str
    served: Value
    recomputed: Value

    def as_json(self) -> dict[str, Any]:
        """Write it."""
        return {
            "receipt_id": self.receipt_id,
            "lead_id": self.lead_id,
            "as_of": iso(self.as_of),
            "feature": self.feature,
            "served": self.served,
            "recomputed": self.recomputed,
        }


@dataclass(frozen=True, slots=True)
class RecheckResult:
    """
    What came of a check.

    Attributes:
        given: receipts given in the hours that were looked at.
        sampled: those of them that were drawn.
        seed: draws the same ones again.
        leads: leads whose facts were read.
        values: feature values that were compared.
        unknown: drawn receipts that could not be computed anew, since their scorer is not, or not whole, in the store.
        differences: every value that differs.
    """

    given: int
    sampled: int
    seed: int
    leads: int
    values: int
    unknown: tuple[str, ...]
    differences: tuple[FeatureDifference, ...]

    @property
    def passed(self) -> bool:
        """Say whether every value drawn is what was served."""
        return not self.differences and not self.unknown

    def as_json(self) -> dict[str, Any]:
        """Write it."""
        return {
            "given": self.given,
            "sampled": self.sampled,
            "seed": self.seed,
            "leads": self.leads,
            "values": self.values,
            "unknown": list(self.unknown),
            "differences": [difference.as_json() for difference in self.differences],
            "passed": self.passed,
        }

    def show(self, console: Console) -> None:
        """Say it on a console, every difference on a line of its own."""
        drawn = f"{self.sampled:,} of {self.given:,} receipts (seed {self.seed})"
        console.print(f"Computed anew: {drawn}, {self.values:,} values, with the facts of {self.leads:,} leads.")
        for difference in self.differences:
            console.print(escape(_line(difference)), soft_wrap=True)
        for receipt_id in self.unknown:
            console.print(f"receipt {receipt_id}: its scorer is not in the store, or is damaged there.")
        wrong = len({difference.receipt_id for difference in self.differences})
        console.print(
            "[green]Every value is what was served.[/]"
            if self.passed
            else f"[red]{len(self.differences):,} values of {wrong:,} receipts differ; {len(self.unknown):,} receipts"
            " could not be computed.[/]"
        )


def _line(found: FeatureDifference) -> str:
    about = f"receipt {found.receipt_id}: {found.feature} of {found.lead_id} as of {iso(found.as_of)}"
    return f"{about} was served as {_said(found.served)}, history says {_said(found.recomputed)}"


def _said(value: Value) -> str:
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
    Compute a sample of receipts anew by the batch engine and compare every feature value.

    Args:
        database: the store.
        business: says of which type attributes are.
        now_us: the present instant [us since 1970 UTC].
        sample: how many receipts at most.
        hours: how far back receipts are drawn from.
        seed: of the draw.
        progress: hears how far it has come.

    Raises:
        RecheckError: the batch engine is not installed here.
    """
    _demand_engine()
    url = database.url.render_as_string(hide_password=False)
    with OperationalStore(url).moment() as moment, tempfile.TemporaryDirectory() as scratch:
        receipts, given = _drawn(moment, since=now_us - round(hours * HOUR_US), sample=sample, seed=seed)
        catalogs = _catalogs(database, set(receipts["scorer"]))
        leads = _with_colleagues(moment, sorted(set(receipts["lead_id"])))
        shape = Shape(_types(business, catalogs.values()))
        copy_facts(moment, Path(scratch), shape=shape, lead_ids=leads, progress=progress)
        known = receipts[receipts["scorer"].isin(list(catalogs))]
        differences = tuple(_differences(Path(scratch), known, catalogs, progress))
    return RecheckResult(
        given=given,
        sampled=len(receipts),
        seed=seed,
        leads=len(leads),
        values=sum(len(catalogs[scorer].features) for scorer in known["scorer"]),
        unknown=tuple(receipts["receipt_id"][~receipts["scorer"].isin(list(catalogs))]),
        differences=differences,
    )


def _demand_engine() -> None:
    try:
        import data.warehouse  # noqa: F401, PLC0415 - only whether it can be is asked
    except ModuleNotFoundError:
        message = "Features of history need DuckDB, which a server does without: install leadscore[history] to recheck."
        raise RecheckError(message) from None


def _drawn(moment: Moment, *, since: int, sample: int, seed: int) -> tuple[pd.DataFrame, int]:
    """Draw receipts among those given since an instant; say among how many."""
    asked = f"SELECT receipt_id FROM receipts WHERE as_of >= {int(since)} ORDER BY receipt_id{moment.binary}"
    ids = [receipt_id for rows in moment.rows(asked) for (receipt_id,) in rows]
    places = np.random.default_rng(seed).choice(len(ids), size=min(sample, len(ids)), replace=False)
    chosen = json.dumps([ids[place] for place in sorted(places)])
    columns = ["receipt_id", "lead_id", "as_of", "scorer", "feature_values"]
    named = ", ".join(columns)
    where, order = moment.of_leads("receipt_id"), f"receipt_id{moment.binary}"
    found = moment.rows(f"SELECT {named} FROM receipts WHERE {where} ORDER BY {order}", (chosen,))
    return pd.DataFrame([row for rows in found for row in rows], columns=columns), len(ids)


def _catalogs(database: Database, fingerprints: set[str]) -> dict[str, Catalog]:
    """Give the features of each scorer; one that the store does not hold whole is left out."""
    found = {}
    with database.reading() as connection:
        for fingerprint in sorted(fingerprints):
            try:
                found[fingerprint] = load_scorer(connection, fingerprint).catalog
            except (UnknownScorerError, ModelError):
                continue
    return found


def _with_colleagues(moment: Moment, lead_ids: Sequence[str]) -> list[str]:
    """Give leads with all that were ever of an account that one of them was ever of."""
    asked = _COLLEAGUES.format(asked=moment.of_leads("v.lead_id"))
    found = moment.rows(asked, (json.dumps(list(lead_ids)),))
    return sorted({*lead_ids, *(lead_id for rows in found for (lead_id,) in rows)})


def _types(business: Business, catalogs: Iterable[Catalog]) -> dict[str, AttributeType]:
    """Give the types of attributes; what a scorer was made with counts before what the playbook says today."""
    features = (feature.reduce for catalog in catalogs for feature in catalog.features)
    read = {reduce.name: AttributeType(reduce.type) for reduce in features if isinstance(reduce, AttributeValue)}
    return {**business.attribute_types, **read}


def _differences(
    tables: Path, receipts: pd.DataFrame, catalogs: Mapping[str, Catalog], progress: Progress
) -> Iterator[FeatureDifference]:
    from data.warehouse import Warehouse  # noqa: PLC0415 - DuckDB, which a server does not have
    from features.over_history import compute_features  # noqa: PLC0415

    warehouse = Warehouse.of_tables(tables)
    try:
        for at, (scorer, mine) in enumerate(receipts.groupby("scorer", sort=True)):
            progress("computing features", at, receipts["scorer"].nunique())
            catalog = catalogs[str(scorer)]
            snapshots = mine[["lead_id", "as_of"]].drop_duplicates().reset_index(drop=True)
            computed = compute_features(warehouse, snapshots, catalog)
            yield from _compared(mine.merge(computed, on=["lead_id", "as_of"], validate="many_to_one"), catalog)
    finally:
        warehouse.connection.disconnect()


def _compared(receipts: pd.DataFrame, catalog: Catalog) -> Iterator[FeatureDifference]:
    for row in receipts.to_dict("records"):
        served = json.loads(row["feature_values"])
        if len(served) != len(catalog.names):
            found = FeatureDifference(
                row["receipt_id"], row["lead_id"], row["as_of"], "values", len(served), len(catalog.names)
            )
            yield found
            continue
        for name, value in zip(catalog.names, served, strict=True):
            computed = _plain(row[name])
            if not same(value, computed):
                yield FeatureDifference(row["receipt_id"], row["lead_id"], int(row["as_of"]), name, value, computed)


def _plain(value: Any) -> Value:
    """Give a cell of a frame as a plain value; what is missing is None."""
    if isinstance(value, str):
        return value
    return None if pd.isna(value) else float(value)


def same(served: Value, computed: Value) -> bool:
    """
    Say whether two values are one: numbers to 1e-9, text to the letter, nothing only as nothing.

    >>> same(0.1 + 0.2, 0.3), same(None, 0.0), same("a", "b"), same(1, 1.0)
    (True, False, False, True)
    """
    if isinstance(served, str) or isinstance(computed, str) or served is None or computed is None:
        return served == computed
    return math.isclose(served, computed, rel_tol=_EQUAL, abs_tol=_EQUAL)
