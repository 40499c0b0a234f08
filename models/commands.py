"""The verbs ``score`` and ``explain``: the scorer that serves, asked about history."""

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table
from rich.text import Text

from data.errors import DataError
from data.instants import from_us, iso, now_us, parse
from data.playbook import Playbook
from data.progress import Progress, silent
from data.warehouse import Warehouse, import_history
from data.workspace import Workspace
from features.over_history import compute_features
from models.bundle import read_facts
from models.champion import NoChampionError, load_champion, load_scorecard_fit, read_pointer
from models.errors import ModelError
from models.receipt import Receipt, ScorerId, chance, displayed, scorer_json
from models.scorecard import compile_scorecard
from models.scorer import Scorer

_ROWS_AT_ONCE = 20_000
_BAR_WIDTH = 24
_LINES = 12
_HINDSIGHT = (
    "In hindsight: the model has learnt how leads of that time ended, so these scores say nothing about how good it is."
)


@dataclass(frozen=True, slots=True)
class ServingScorer:
    """
    The scorer that would answer now.

    Attributes:
        scorer: the promoted model, or the point rules.
        degraded: point rules stand in for a missing model.
        judged_from: the instant [us since 1970 UTC] from which on the model was judged; of what was before it has
            learnt how it ended. None for point rules.
    """

    scorer: Scorer
    degraded: bool
    judged_from: int | None = None

    def in_hindsight(self, as_of: int) -> bool:
        """Say whether the scorer may have learnt how leads of that instant ended."""
        return self.judged_from is not None and as_of < self.judged_from


@dataclass(frozen=True, slots=True)
class ScoredLeads:
    """What ``score`` wrote."""

    out: Path
    as_of: int
    leads: int
    handed_over: int
    scorer: ScorerId
    degraded: bool
    hindsight: bool
    top: pd.DataFrame

    def as_json(self) -> dict[str, Any]:
        """Give the result as JSON."""
        return {
            "out": str(self.out),
            "as_of": iso(self.as_of),
            "leads": self.leads,
            "over_threshold": self.handed_over,
            "scorer": scorer_json(self.scorer),
            "degraded": self.degraded,
            "hindsight": self.hindsight,
        }

    def show(self, console: Console) -> None:
        """Print whom to call first."""
        day = f"{from_us(self.as_of):%Y-%m-%d %H:%M} UTC"
        table = Table(title=f"Call these first, as of {day}", title_justify="left")
        for column in ("lead", "score", "grade", "chance"):
            table.add_column(column, justify="right" if column == "score" else "left")
        columns = [self.top[name].tolist() for name in ("lead_id", "score", "grade", "probability")]
        for lead_id, points, grade, probability in zip(*columns, strict=True):
            said = "not known yet" if math.isnan(probability) else chance(probability)
            table.add_row(lead_id, str(points), grade, said)
        console.print(table)
        console.print(f"{self.leads:,} open leads scored, {self.handed_over:,} over the threshold: {self.out}")
        if self.degraded:
            console.print("No model serves yet: the point rules answered. Run leadscore train, then leadscore promote.")
        if self.hindsight:
            console.print(_HINDSIGHT)


@dataclass(frozen=True, slots=True)
class Explanation:
    """One receipt, to be read."""

    receipt: Receipt
    goal: str
    degraded: bool
    hindsight: bool
    newest_activity_at: int | None

    def as_json(self) -> dict[str, Any]:
        """Give the receipt as the API does, with all its reasons."""
        told = self.receipt.as_json(degraded=self.degraded, newest_activity_at=self.newest_activity_at)
        return told | {"hindsight": self.hindsight}

    def show(self, console: Console) -> None:
        """Print the receipt: a base, reasons in points, a total."""
        receipt = self.receipt
        said = "" if receipt.probability is None else f"; {self.goal}: {chance(receipt.probability)}"
        head = f"{receipt.lead_id}: score {receipt.score}, grade {receipt.grade}{said}"
        console.print(Text(head, style="bold"))
        newest = "none yet" if self.newest_activity_at is None else f"{from_us(self.newest_activity_at):%Y-%m-%d %H:%M}"
        made_by = (
            f"{receipt.scorer.name} {receipt.scorer.version}{' (stands in for the model)' if self.degraded else ''}"
        )
        console.print(
            f"as of {from_us(receipt.as_of):%Y-%m-%d %H:%M} UTC, newest activity {newest}, scored by {made_by}"
        )
        console.print(_receipt_table(receipt))
        if receipt.stretch is not None:
            console.print(
                "The calibration bends, so this lead's reasons are those of the trees times "
                f"{receipt.stretch:.2f}: that way they add up."
            )
        if self.hindsight:
            console.print(_HINDSIGHT)


def _receipt_table(receipt: Receipt) -> Table:
    table = Table(show_header=False, box=None, padding=(0, 1))
    table.add_column(justify="right")
    table.add_column(max_width=_BAR_WIDTH)
    table.add_column()
    table.add_row(f"{receipt.base_points:.1f}", "", "where every lead starts")
    shown, rest = receipt.reasons[:_LINES], receipt.reasons[_LINES:]
    widest = max((abs(reason.points) for reason in shown), default=1.0)
    for reason in shown:
        bar = "█" * max(1, round(abs(reason.points) / widest * _BAR_WIDTH))
        style = "green" if reason.points > 0 else "red"
        table.add_row(f"{reason.points:+.1f}", Text(bar, style=style), reason.says)
    if rest:
        smaller = math.fsum(reason.points for reason in rest)
        table.add_row(f"{smaller:+.1f}", "", f"{len(rest)} smaller reasons; --json lists them all")
    table.add_row(Text(f"{receipt.points:.1f}", style="bold"), "", Text("points", style="bold"))
    return table


def serving_scorer(workspace: Workspace) -> ServingScorer:
    """
    Give the promoted model, or the point rules while none was promoted.

    Raises:
        ModelError: a model was promoted but is not what it was then.
    """
    models = workspace.home.models(workspace.playbook.business.name)
    try:
        model = load_champion(models)
        return ServingScorer(model, degraded=False, judged_from=_judged_from(models))
    except NoChampionError:
        rules = compile_scorecard(workspace.playbook.scorecard, workspace.playbook.business)
        return ServingScorer(load_scorecard_fit(models, rules), degraded=True)


def score(
    workspace: Workspace,
    *,
    out: Path,
    as_of: int | None = None,
    reasons: bool = False,
    progress: Progress = silent,
) -> ScoredLeads:
    """
    Score every lead that was open at an instant and write the scores as Parquet.

    Args:
        workspace: the playbook, and where tables and models are kept.
        out: the Parquet file to write; replaced in one step.
        as_of: the instant [us since 1970 UTC]; default: the end of the history.
        reasons: whether to write every reason of every lead too.
        progress: hears how many leads are done.

    Raises:
        ModelError: no lead was open then, or the promoted model cannot be trusted.
    """
    serving, warehouse = serving_scorer(workspace), import_history(workspace, progress=progress)
    instant = _instant(warehouse, as_of)
    snapshots = open_leads(warehouse, workspace.playbook, instant)
    if snapshots.empty:
        message = f"no lead was open as of {iso(instant)}: the history ends at {iso(warehouse.cutoff_us)}."
        raise ModelError(message)
    parts = []
    for low, high in pairwise([*range(0, len(snapshots), _ROWS_AT_ONCE), len(snapshots)]):
        progress("scoring leads", low, len(snapshots))
        frame = compute_features(warehouse, snapshots[low:high], serving.scorer.catalog)
        parts.append(_scored(serving.scorer, frame, reasons, progress))
    progress("scoring leads", len(snapshots), len(snapshots))
    frame = pd.concat(parts, ignore_index=True).sort_values(["points", "lead_id"], ascending=[False, True])
    _write(frame, serving.scorer.id, out)
    over = int((frame["points"] >= serving.scorer.bands.threshold).sum())
    return ScoredLeads(
        out,
        as_of=instant,
        leads=len(frame),
        handed_over=over,
        scorer=serving.scorer.id,
        degraded=serving.degraded,
        hindsight=serving.in_hindsight(instant),
        top=frame.head(10),
    )


def explain(
    workspace: Workspace, *, lead_id: str, as_of: int | None = None, progress: Progress = silent
) -> Explanation:
    """
    Explain one lead's score at an instant of history.

    Raises:
        ModelError: the lead was not known then.
    """
    serving, warehouse = serving_scorer(workspace), import_history(workspace, progress=progress)
    instant = _instant(warehouse, as_of)
    if not lead_id.isprintable():
        message = f"{lead_id!a} is not a lead's id: check it."
        raise ModelError(message)
    known = warehouse.leads.filter(warehouse.leads.lead_id == lead_id)
    first_known = known.known_at.min().execute()
    if pd.isna(first_known) or first_known >= instant:
        told = (
            "no such lead is in the history" if pd.isna(first_known) else f"it became known at {iso(int(first_known))}"
        )
        message = f"lead {lead_id} cannot be scored as of {iso(instant)}: {told}; check the id and --as-of."
        raise ModelError(message)
    one = pd.DataFrame({"lead_id": [lead_id], "as_of": [instant]})
    values = _rows(compute_features(warehouse, one, serving.scorer.catalog), serving.scorer)[0]
    seen = warehouse.activities.filter(warehouse.activities.lead_id == lead_id, warehouse.activities.known_at < instant)
    newest = seen.occurred_at.max().execute()
    receipt = serving.scorer.receipt(lead_id, instant, values)
    goal = workspace.playbook.business.goal
    return Explanation(
        receipt,
        goal=f"chance to become {workspace.playbook.business.stages[goal.stage]} within {goal.horizon_days:g} days",
        degraded=serving.degraded,
        hindsight=serving.in_hindsight(instant),
        newest_activity_at=None if pd.isna(newest) else int(newest),
    )


def _instant(warehouse: Warehouse, as_of: int | None) -> int:
    """Give the instant to score at: as asked for unless that is yet to come, or else the end of the history."""
    if as_of is not None and as_of > now_us():
        end = iso(warehouse.cutoff_us)
        message = f"{iso(as_of)} is yet to come: give --as-of an instant until now; the history ends at {end}."
        raise ModelError(message)
    return warehouse.cutoff_us + 1 if as_of is None else as_of


def _judged_from(models: Path) -> int | None:
    """Give the start of the block that the champion was judged on, where its bundle says it."""
    try:
        start = read_facts(models / read_pointer(models).bundle)["data"]["plan"]["test"]["start"]
        return parse(start)
    except (KeyError, TypeError, DataError):
        return None


def open_leads(warehouse: Warehouse, playbook: Playbook, as_of: int) -> pd.DataFrame:
    """Give a snapshot of each lead that was known before an instant and not known to be closed."""
    leads, outcomes = warehouse.leads, warehouse.outcomes
    known = leads.filter(leads.known_at < as_of).select("lead_id").distinct()
    ended = outcomes.filter(outcomes.stage.isin(sorted(playbook.business.closing_stages)), outcomes.known_at < as_of)
    still_open = known.anti_join(ended, known.lead_id == ended.lead_id).order_by("lead_id")
    frame: pd.DataFrame = still_open.execute()
    return frame.assign(as_of=as_of)


def _scored(scorer: Scorer, frame: pd.DataFrame, reasons: bool, progress: Progress) -> pd.DataFrame:  # noqa: FBT001
    scored = scorer.score_many(frame)
    result = frame[["lead_id", "as_of"]].assign(
        score=[displayed(points) for points in scored.points.tolist()],
        points=scored.points,
        base_points=scored.base_points,
        probability=scored.probabilities,
        grade=scorer.bands.grades(scored.points),
    )
    if reasons:
        result["reasons"] = pd.Series(_all_reasons(scorer, frame, progress), index=result.index)
    return result


def _all_reasons(scorer: Scorer, frame: pd.DataFrame, progress: Progress) -> list[list[dict[str, Any]]]:
    written = []
    for done, (lead_id, as_of, values) in enumerate(
        zip(frame["lead_id"], frame["as_of"], _rows(frame, scorer), strict=True)
    ):
        progress("wording the reasons", done, len(frame))
        receipt = scorer.receipt(str(lead_id), int(as_of), values)
        written.append([{"code": one.code, "says": one.says, "points": one.points} for one in receipt.reasons])
    return written


def _rows(frame: pd.DataFrame, scorer: Scorer) -> list[Sequence[float | str | None]]:
    """Give each row's feature values in catalog order, None where missing."""
    columns = [frame[name].astype(object).where(frame[name].notna(), None).tolist() for name in scorer.catalog.names]
    return list(zip(*columns, strict=True))


def _write(frame: pd.DataFrame, scorer: ScorerId, out: Path) -> None:
    instants = pa.array(frame["as_of"], pa.int64()).cast(pa.timestamp("us", tz="UTC"))
    table = pa.Table.from_pandas(frame.drop(columns="as_of"), preserve_index=False).add_column(1, "as_of", instants)
    for name, value in scorer_json(scorer).items():
        table = table.append_column(f"scorer_{name}", pa.array([value] * len(frame), pa.string()))
    building = out.with_name(f".{out.name}.building")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, building)
        building.replace(out)
    except OSError as error:
        message = f"{out} cannot be written ({error.strerror}): give --out a file in a folder you may write to."
        raise ModelError(message) from None
    finally:
        with suppress(OSError):
            building.unlink(missing_ok=True)
