"""The verbs ``score`` and ``explain``: the scorer that serves, applied to history."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow as pa

from data.errors import DataError
from data.home import Home
from data.importing.warehouse import Warehouse, import_history
from data.instants import iso, now_us, parse
from data.lifecycle.closed_leads import state_of
from data.output_files import output_file, require_replaceable
from data.progress import Progress, silent
from data.words.id_rules import in_form
from data.workspace import Workspace
from features.age_and_silence import with_age_and_silence
from features.history.over_history import compute_features, known_values
from features.spark.engine import Engine, engine_of_environment
from models.bundle import read_facts
from models.bundle_company import require_own_bundle
from models.champion import NoChampionError, read_pointer
from models.errors import ModelError
from models.history_scores import ScoringRequest, beyond_history, scored_by_duckdb
from models.saved_scorers import load_champion, load_scorecard_fit
from models.score_answers import Explanation, ScoredLeads
from models.score_files import require_known_format, write_scores
from models.score_summary import ScoreSummary, require_open_leads
from models.scorecard import compile_scorecard
from models.scorer import Scorer
from models.spark_scores import scores_by_spark


@dataclass(frozen=True, slots=True)
class ServingScorer:
    """
    The scorer that would answer now.

    Attributes:
        scorer: the promoted model, or the point rules.
        degraded: point rules stand in for a missing model.
        judged_from: the instant [us since 1970 UTC] from which on the model was judged; it has learnt how leads of
            earlier instants ended. None for point rules.
    """

    scorer: Scorer
    degraded: bool
    judged_from: int | None = None

    def in_hindsight(self, as_of: int) -> bool:
        """Return whether the scorer may have learnt how leads of that instant ended."""
        return self.judged_from is not None and as_of < self.judged_from


def serving_scorer(workspace: Workspace) -> ServingScorer:
    """
    Return the promoted model, or the point rules while none was promoted.

    Raises:
        ModelError: a model was promoted but is not what it was then, or is another company's.
    """
    models = workspace.home.models(workspace.playbook.business.name)
    try:
        model = load_champion(models)
        require_own_bundle(models / read_pointer(models).bundle, workspace.playbook.company)
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
    overwrite: bool = False,
    progress: Progress = silent,
) -> ScoredLeads:
    """
    Score every lead that was open at an instant and write the scores to a file.

    Args:
        workspace: the playbook, and where tables and models are kept.
        out: a ``.parquet``, ``.csv`` or ``.jsonl`` file, written in one step; on Spark also a new folder, into which
            the workers write Parquet files.
        as_of: the instant [us since 1970 UTC]; default: the end of the history.
        reasons: write every reason of every lead too.
        overwrite: replace a file that was changed since leadscore wrote it, or that something else wrote.
        progress: is told how many leads are done.

    Raises:
        ModelError: no lead was open then, or the promoted model cannot be trusted.
        EngineError: the engine that the environment names is missing, does not answer or fails.
        DataError: the file exists and would be lost, or cannot be written.
    """
    engine = engine_of_environment()
    require_known_format(out, may_be_folder=engine.master is not None)
    require_replaceable(out, workspace.home, overwrite=overwrite)
    serving, warehouse = serving_scorer(workspace), _history(engine, workspace, progress)
    instant = _instant(warehouse, as_of)
    asked = ScoringRequest(serving.scorer, instant, workspace.playbook.business.lifecycle, reasons)
    save = partial(_save, asked=asked, out=out, home=workspace.home, overwrite=overwrite)
    if engine.master is None:
        found = save(scored_by_duckdb(warehouse, asked, progress))
    else:
        with scores_by_spark(engine.master, engine.address_of(warehouse.folder), asked) as scores:
            found = save(scores.table()) if out.suffix else scores.write(out)
    return ScoredLeads(
        out,
        as_of=instant,
        leads=found.leads,
        handed_over=found.handed_over,
        beyond_history=found.beyond_history,
        scorer=serving.scorer.id,
        degraded=serving.degraded,
        hindsight=serving.in_hindsight(instant),
        top=found.top,
    )


def _history(engine: Engine, workspace: Workspace, progress: Progress) -> Warehouse:
    """Return the tables that the engine is told of, or those imported from the exports."""
    if engine.tables:
        return Warehouse.of_tables(Path(engine.tables))
    return import_history(workspace, progress=progress)


def _save(table: pa.Table, *, asked: ScoringRequest, out: Path, home: Home, overwrite: bool) -> ScoreSummary:
    """Write scores to a file and summarise them."""
    require_open_leads(table.num_rows, asked.as_of)
    with output_file(out, home, overwrite=overwrite) as draft:
        write_scores(table, draft, suffix=out.suffix)
    return ScoreSummary.of(table, asked.scorer.bands.threshold)


def explain(
    workspace: Workspace, *, lead_id: str, as_of: int | None = None, progress: Progress = silent
) -> Explanation:
    """
    Explain one lead's score at an instant of history.

    Raises:
        ModelError: the lead was not known then.
    """
    serving, warehouse = serving_scorer(workspace), import_history(workspace, progress=progress)
    instant, business = _instant(warehouse, as_of), workspace.playbook.business
    lead_id = in_form(lead_id, business.ids) or lead_id
    _require_known(warehouse, lead_id, instant)
    catalog = with_age_and_silence(serving.scorer.catalog)
    snapshot = pd.DataFrame({"lead_id": [lead_id], "as_of": [instant]})
    frame = compute_features(warehouse, snapshot, catalog)
    seen = warehouse.activities.filter(warehouse.activities.lead_id == lead_id, warehouse.activities.known_at < instant)
    newest = seen.occurred_at.max().execute()
    state = state_of(warehouse.activities, warehouse.outcomes, lead_id, lifecycle=business.lifecycle, as_of=instant)
    goal = business.goal
    return Explanation(
        serving.scorer.receipt(lead_id, instant, known_values(frame[serving.scorer.catalog.names])[0]),
        goal=f"chance to become {business.stages[goal.stage]} within {goal.horizon_days:g} days",
        degraded=serving.degraded,
        hindsight=serving.in_hindsight(instant),
        newest_activity_at=None if pd.isna(newest) else int(newest),
        state=state,
        stage_says=None if state.stage is None else business.stages.get(state.stage, state.stage),
        beyond_history=beyond_history(serving.scorer.reach, frame)[0],
    )


def _require_known(warehouse: Warehouse, lead_id: str, instant: int) -> None:
    """Check that a lead was known before an instant."""
    if not lead_id.isprintable():
        message = f"{lead_id!a} is not a lead's id: check it."
        raise ModelError(message)
    versions = warehouse.leads.filter(warehouse.leads.lead_id == lead_id)
    first_known = versions.known_at.min().execute()
    if pd.isna(first_known) or first_known >= instant:
        why = (
            "no such lead is in the history" if pd.isna(first_known) else f"it became known at {iso(int(first_known))}"
        )
        message = f"lead {lead_id} cannot be scored as of {iso(instant)}: {why}; check the id and --as-of."
        raise ModelError(message)


def _instant(warehouse: Warehouse, as_of: int | None) -> int:
    """Return the instant to score at: the requested one unless it lies ahead, by default the end of the history."""
    if as_of is not None and as_of > now_us():
        end = iso(warehouse.cutoff_us)
        message = f"{iso(as_of)} is in the future: give --as-of an instant up to now; the history ends at {end}."
        raise ModelError(message)
    if as_of is None and not warehouse.rows:
        message = "--as-of is missing: tables that leadscore did not import do not say where their history ends."
        raise ModelError(message)
    return warehouse.cutoff_us + 1 if as_of is None else as_of


def _judged_from(models: Path) -> int | None:
    """Return the start of the block that the champion was judged on, if its bundle says so."""
    try:
        start = read_facts(models / read_pointer(models).bundle)["data"]["plan"]["test"]["start"]
        return parse(start)
    except (KeyError, TypeError, DataError):
        return None
