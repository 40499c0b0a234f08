"""
The verbs ``promote`` and ``rollback``: which version serves, and how it came to that.

What serves is what ``champion.json`` says. MLflow's alias ``champion`` follows it: where it could not be moved, or a
process ended before it was, the next promotion or rollback moves it.
"""

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.home import Home
from data.instants import iso, now_us
from data.playbook import Playbook
from data.progress import Progress, silent
from data.workspace import Workspace
from models.bundle import read_facts
from models.champion import Champion, bundle_folder
from models.conversion import ConversionModel
from models.errors import ModelError
from models.saved_scorers import load_pointed
from training.dataset.dataset import SEED
from training.errors import PromotionRefusedError, RegistryError, RollbackRefusedError
from training.fitting.minimum_data import FULL
from training.registry.challenger_evaluation import load_version, open_contest
from training.registry.champion_pointer import make, mover, moving, worded
from training.registry.interrupts import DeferredInterrupt
from training.registry.mlflow_registry import Registry
from training.registry.promotion_gate import GateDecision, judge_challenger
from training.registry.promotion_history import Action, ChampionChange, ChampionHistory, read_succession
from training.registry.promotion_results import PromotionResult, RollbackResult
from training.registry.registered_versions import CHALLENGER, RegisteredVersion
from training.statistics.scoring_metrics import EvaluationRows


def promote(
    workspace: Workspace,
    *,
    version: str = CHALLENGER,
    force: bool = False,
    reason: str | None = None,
    progress: Progress = silent,
    seed: int = SEED,
) -> PromotionResult:
    """
    Let a registered version serve, if the gate lets it through.

    Args:
        workspace: the playbook, and where tables and models are kept.
        version: ``challenger`` (the newest) or a number.
        force: do not ask the gate; then a reason must be given.
        reason: why, for the journal and for MLflow.
        progress: hears how far it has come.
        seed: as in training.

    Raises:
        RegistryError: there is no such version.
        PromotionRefusedError: its bundle does not load, a rule of the gate held, or somebody else was quicker.
        HistoryError: what it was tested on is gone.
    """
    why = _why(reason, force=force)
    registry = Registry(workspace.home, workspace.playbook.business.name)
    found = registry.find(version)
    model = load_version(found, workspace.home, workspace.playbook.business.name)
    bundle = bundle_folder(registry.models, found.run_id)
    to = Champion(found.version, model.id.fingerprint, os.path.relpath(bundle, registry.models))
    serving = _settled(registry)
    before = None if serving.champion is None else serving.champion.version
    if serving.champion == to and not serving.problem:
        return PromotionResult(to, bundle, before)
    desk = _Desk(workspace.playbook, workspace.home, registry, progress, seed)
    ruling = None if force else _ruling(desk, model, found=found, champion=serving.champion)
    if ruling is not None and not ruling.allowed:
        raise PromotionRefusedError(ruling.says)
    says = "The gate was not asked, as wanted." if ruling is None else ruling.says
    move, notes = _move(registry, serving, action="force" if force else "promote", to=to, reason=why, says=says)
    return PromotionResult(to, bundle, before, ruling, move, notes)


def rollback(workspace: Workspace, *, reason: str | None = None) -> RollbackResult:
    """
    Let the previous champion serve again, in one step.

    A second rollback goes one further back; what was rolled back comes again by being promoted.

    Args:
        workspace: the playbook, and where tables and models are kept.
        reason: why, for the journal and for MLflow.

    Raises:
        RollbackRefusedError: there is no previous champion, or its bundle cannot serve.
        MovedMeanwhileError: somebody else was quicker.
    """
    registry = Registry(workspace.home, workspace.playbook.business.name)
    serving = read_succession(registry.models)
    to = _previous(registry, serving)
    _settled(registry, expected=serving)
    left = serving.champion
    says = "Nothing served." if left is None else f"It is back in place of version {left.version}."
    move, notes = _move(registry, serving, action="rollback", to=to, reason=worded(reason), says=says)
    return RollbackResult(move, registry.models / to.bundle, notes)


@dataclass(frozen=True, slots=True)
class _Desk:
    """What a challenger is judged with."""

    playbook: Playbook
    home: Home
    registry: Registry
    progress: Progress
    seed: int


def _why(reason: str | None, *, force: bool) -> str | None:
    why = worded(reason)
    if force and why is None:
        message = "Nobody passes by the gate without saying why, and no reason was given: add --reason to --force."
        raise PromotionRefusedError(message)
    return why


def _ruling(
    desk: _Desk, model: ConversionModel, *, found: RegisteredVersion, champion: Champion | None
) -> GateDecision:
    """Judge a version on the rows it was tested on, beside the champion and the point rules."""
    models = desk.registry.models
    facts = read_facts(bundle_folder(models, found.run_id))
    contest = open_contest(
        facts, Workspace(desk.playbook, desk.home), version=found.version, progress=desk.progress, seed=desk.seed
    )
    return judge_challenger(
        contest.model(model, f"version {found.version}"),
        None if champion is None else contest.model(_loaded(models, champion), f"version {champion.version}"),
        rules=contest.rules(),
        judged=EvaluationRows.of(contest.rows),
        capacity_per_day=desk.playbook.business.capacity_per_day,
        small=_is_small(facts, desk.registry, found),
        gates=tuple(facts.get("gates") or ()),
    )


def _is_small(facts: Mapping[str, Any], registry: Registry, found: RegisteredVersion) -> bool:
    """Say whether a version learnt from too few successes to be a full model; one that does not say so did."""
    standing = facts.get("standing") or {"succeeded": registry.metrics(found.run_id).get("leads_reached_goal", 0)}
    return float(standing["succeeded"]) < FULL


def _loaded(models: Path, champion: Champion) -> ConversionModel:
    try:
        return load_pointed(models, champion)
    except ModelError as error:
        message = (
            f"Version {champion.version}, the champion, cannot be compared with: {error} Go back to the one before "
            "with leadscore rollback, or promote with --force --reason."
        )
        raise PromotionRefusedError(message) from None


def _previous(registry: Registry, serving: ChampionHistory) -> Champion:
    """Give the champion to go back to, whose bundle is whole."""
    to = serving.previous
    if to is None:
        now = serving.champion
        served = (
            "No version was promoted yet" if now is None else f"No other version served before version {now.version}"
        )
        message = f"{served}, so there is nothing to go back to: let one serve with leadscore promote."
        raise RollbackRefusedError(message)
    try:
        load_pointed(registry.models, to)
    except ModelError as error:
        message = (
            f"Version {to.version}, the previous champion, cannot serve: {error} Promote another one with "
            "leadscore promote --version."
        )
        raise RollbackRefusedError(message) from None
    return to


def _settled(registry: Registry, *, expected: ChampionHistory | None = None) -> ChampionHistory:
    """Finish what an earlier process left undone, and give what serves."""
    with moving(registry.models, expected=expected) as serving:
        last = serving.moves[-1] if serving.moves else None
        if last is not None and last.to == serving.champion:
            with contextlib.suppress(RegistryError):  # the move that comes says so, if it is still so then
                if registry.alias != last.to.version:
                    _follow(registry, last)
        return serving


def _move(
    registry: Registry, expected: ChampionHistory, *, action: Action, to: Champion, reason: str | None, says: str
) -> tuple[ChampionChange, tuple[str, ...]]:
    """Put a version in the champion's place, unless another has been put there; give what could not be done."""
    with moving(registry.models, expected=expected) as serving, DeferredInterrupt() as patience:
        at, who = iso(now_us()), mover()
        move = ChampionChange(serving.next_number, action, at, who, reason, says, to, serving.champion)
        patience.begin()
        notes = [make(registry.models, move)]
        try:
            _follow(registry, move)
        except RegistryError as error:
            notes.append(f"MLflow's alias champion could not be moved; the next promotion or rollback does it. {error}")
    return move, tuple(filter(None, notes))


def _follow(registry: Registry, move: ChampionChange) -> None:
    """Let MLflow say the same as the pointer."""
    tags = {"by": move.who, "at": move.at, "action": move.action, "reason": move.reason or ""}
    serving = RegisteredVersion(move.to.version, Path(move.to.bundle).name, move.to.fingerprint)
    registry.follow(serving, {f"champion.{name}": value for name, value in tags.items()})
