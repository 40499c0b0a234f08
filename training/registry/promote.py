"""
Promotion and rollback: which version serves.

``champion.json`` decides what serves. MLflow's alias ``champion`` follows it: where the alias could not be set, or a
process ended before it was, the next promotion or rollback sets it.
"""

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.instants import iso, now_us
from data.progress import Progress, silent
from data.workspace import Workspace
from models.bundle import read_facts
from models.bundle_company import require_own_bundle
from models.champion import Champion, bundle_folder
from models.conversion import ConversionModel
from models.errors import ModelError
from models.saved_scorers import load_pointed
from training.dataset.dataset import SEED
from training.errors import PromotionRefusedError, RegistryError, RollbackRefusedError
from training.fitting.minimum_data import FULL
from training.registry.bundle_signing import sign_bundle
from training.registry.challenger_evaluation import load_judged, load_version, prepare_evaluation
from training.registry.champion_pointer import current_user, locked_history, one_line, write_change
from training.registry.gate_decision import GateDecision
from training.registry.interrupts import DeferredInterrupt
from training.registry.mlflow_registry import Registry
from training.registry.promotion_gate import evaluate_challenger
from training.registry.promotion_history import Action, ChampionChange, ChampionHistory, read_champion_history
from training.registry.promotion_results import PromotionResult, RollbackResult
from training.registry.registered_version import RegisteredVersion
from training.registry.run_folders import CHALLENGER
from training.statistics.scoring_metrics import EvaluationRows


def promote_version(
    workspace: Workspace,
    *,
    version: str = CHALLENGER,
    force: bool = False,
    reason: str | None = None,
    progress: Progress = silent,
    seed: int = SEED,
) -> PromotionResult:
    """
    Make a registered version the champion if the gate passes it.

    Args:
        workspace: the playbook, and where tables and models are kept.
        version: ``challenger`` (the newest) or a number.
        force: skip the gate; then a reason must be given.
        reason: why, for the history and for MLflow.
        progress: receives the steps.
        seed: as in training.

    Raises:
        RegistryError: there is no such version.
        OtherCompanyError: it is of another company.
        PromotionRefusedError: its bundle does not load, a rule of the gate refused it, or somebody else was quicker.
        HistoryError: the rows that it was tested on are gone.
        SigningKeyError: its bundle cannot be signed.
    """
    why = _require_reason(reason) if force else one_line(reason)
    registry = Registry(workspace.home, workspace.playbook.business.name)
    registered = registry.find(version)
    model = load_version(registered, workspace.home, workspace.playbook.business.name)
    bundle = bundle_folder(registry.models, registered.run_id)
    require_own_bundle(bundle, workspace.playbook.company)
    to = Champion(registered.version, model.id.fingerprint, os.path.relpath(bundle, registry.models))
    serving = _complete_last_change(registry)
    before = None if serving.champion is None else serving.champion.version
    if serving.champion == to and not serving.problem:
        signer, note = sign_bundle(registry, bundle)
        return PromotionResult(to, bundle, before, notes=tuple(filter(None, [note])), signer=signer)
    challenger = _Challenger(workspace, registry, registered, model)
    decision = None if force else challenger.decision(serving.champion, progress=progress, seed=seed)
    if decision is not None and not decision.allowed:
        raise PromotionRefusedError(decision.says)
    says = "Gate skipped (--force)." if decision is None else decision.says
    action: Action = "force" if force else "promote"
    signer, note = sign_bundle(registry, bundle)
    change, notes = _change_champion(registry, serving, action=action, to=to, reason=why, says=says)
    return PromotionResult(to, bundle, before, decision, change, tuple(filter(None, (*notes, note))), signer)


def rollback_version(workspace: Workspace, *, reason: str | None = None) -> RollbackResult:
    """
    Make the previous champion serve again, in one step.

    A second rollback goes one further back; what was rolled back comes again by being promoted.

    Args:
        workspace: the playbook, and where tables and models are kept.
        reason: why, for the history and for MLflow.

    Raises:
        RollbackRefusedError: there is no previous champion, or its bundle cannot serve.
        OtherCompanyError: it is of another company.
        ChampionChangedError: somebody else was quicker.
        SigningKeyError: its bundle cannot be signed.
    """
    registry = Registry(workspace.home, workspace.playbook.business.name)
    serving = read_champion_history(registry.models)
    to = _previous(registry, serving)
    require_own_bundle(registry.models / to.bundle, workspace.playbook.company)
    _complete_last_change(registry, expected=serving)
    left = serving.champion
    says = "Nothing served." if left is None else f"It is back in place of version {left.version}."
    bundle = registry.models / to.bundle
    _, note = sign_bundle(registry, bundle)
    change, notes = _change_champion(registry, serving, action="rollback", to=to, reason=one_line(reason), says=says)
    return RollbackResult(change, bundle, tuple(filter(None, (*notes, note))))


def _require_reason(reason: str | None) -> str:
    text = one_line(reason)
    if text is None:
        message = "--force needs a reason: add --reason."
        raise PromotionRefusedError(message)
    return text


@dataclass(frozen=True, slots=True)
class _Challenger:
    """A registered version that wants to serve."""

    workspace: Workspace
    registry: Registry
    registered: RegisteredVersion
    model: ConversionModel

    def decision(self, champion: Champion | None, *, progress: Progress, seed: int) -> GateDecision:
        """Judge it on the rows it was tested on, beside the champion and the point rules; neither model knows them."""
        models, version = self.registry.models, self.registered.version
        facts = read_facts(bundle_folder(models, self.registered.run_id))
        rows = prepare_evaluation(facts, self.workspace, version=version, progress=progress, seed=seed)
        serving = None
        if champion is not None:
            judged = load_judged(_load_champion(models, champion), models, Path(champion.bundle).name)
            serving = rows.model(judged, f"version {champion.version}")
        return evaluate_challenger(
            rows.model(load_judged(self.model, models, self.registered.run_id), f"version {version}"),
            serving,
            rules=rows.rules(),
            rows=EvaluationRows.of(rows.rows),
            capacity_per_day=self.workspace.playbook.business.capacity_per_day,
            small=_is_small(facts, self.registry, self.registered),
            gates=tuple(facts.get("gates") or ()),
        )


def _is_small(facts: Mapping[str, Any], registry: Registry, registered: RegisteredVersion) -> bool:
    """Whether a version learnt from too few successes to be a full model; an old bundle leaves that to its run."""
    standing = facts.get("standing") or {"succeeded": registry.metrics(registered.run_id).get("leads_reached_goal", 0)}
    return float(standing["succeeded"]) < FULL


def _load_champion(models: Path, champion: Champion) -> ConversionModel:
    try:
        return load_pointed(models, champion)
    except ModelError as error:
        message = (
            f"Version {champion.version}, the champion, cannot be compared with: {error} Go back to the one before "
            "with leadscore rollback, or promote with --force --reason."
        )
        raise PromotionRefusedError(message) from None


def _previous(registry: Registry, serving: ChampionHistory) -> Champion:
    """Return the champion to go back to, whose bundle is whole."""
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


def _complete_last_change(registry: Registry, *, expected: ChampionHistory | None = None) -> ChampionHistory:
    """Complete what an earlier process left undone, and return what serves."""
    with locked_history(registry.models, expected=expected) as serving:
        last = serving.changes[-1] if serving.changes else None
        if last is not None and last.to == serving.champion:
            with contextlib.suppress(RegistryError):  # the change that comes reports it, if it is still so then
                if registry.champion_alias != last.to.version:
                    _set_alias(registry, last)
        return serving


def _change_champion(
    registry: Registry, expected: ChampionHistory, *, action: Action, to: Champion, reason: str | None, says: str
) -> tuple[ChampionChange, tuple[str, ...]]:
    """Put a version in the champion's place, unless another has been put there; return what could not be done."""
    with locked_history(registry.models, expected=expected) as serving, DeferredInterrupt() as interrupts:
        change = ChampionChange(
            serving.next_number, action, iso(now_us()), current_user(), reason, says, to, serving.champion
        )
        interrupts.begin()
        notes = [write_change(registry.models, change)]
        try:
            _set_alias(registry, change)
        except RegistryError as error:
            notes.append(f"MLflow's alias champion could not be set; the next promotion or rollback sets it. {error}")
    return change, tuple(filter(None, notes))


def _set_alias(registry: Registry, change: ChampionChange) -> None:
    """Make MLflow agree with the pointer."""
    tags = {"by": change.who, "at": change.at, "action": change.action, "reason": change.reason or ""}
    serving = RegisteredVersion(change.to.version, Path(change.to.bundle).name, change.to.fingerprint)
    registry.set_champion_alias(serving, {f"champion.{name}": value for name, value in tags.items()})
