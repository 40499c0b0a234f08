"""The active scorer: the champion in force, else the last usable model, else the point rules."""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace

from data.errors import LeadscoreError
from data.instants import now_us
from data.words.playbook import Playbook
from models.cold_start import ColdStartStage, load_standing
from models.errors import ModelError
from models.receipt import ScorerId
from models.saved_scorers import load_scorecard_fit
from models.scorecard import Scorecard, compile_scorecard
from models.scorer import Scorer
from serving.scorers.admission import admit_scorer
from serving.scorers.deployments import (
    Deployment,
    Role,
    deployments_in_force,
    earlier_champions,
    is_stored,
    load_scorer,
    store_rules,
)
from serving.scorers.live_scorer import LiveScorer, compile_scorer
from serving.scorers.promotions import Promotions, Stamp, file_stamp
from serving.scorers.signing_keys import SignatureCheck
from serving.settings import Settings
from serving.store.database import Database
from serving.store.store_errors import STORE_ERRORS, name_of

_LOG = logging.getLogger("leadscore.serving")
_WATCHED_FILES = ("scorecard.json", "standing.json")
_RETRY_S = 5.0  # an unusable model may have been repaired
_LOADED = 4
_NO_MODEL = "no model serves yet: run leadscore train, then leadscore promote."
Seen = tuple[dict[Role, Deployment], tuple[Stamp, ...], str | None]


class ActiveScorer:
    """
    The scorer in use and the shadow, each replaced in one step when another one is deployed.

    Args:
        playbook: holds the point rules.
        settings: where promoted models and the fit of the rules are, and whether to follow promotions.
        database: the store, whose deployments count.
        now: the present instant [us since 1970 UTC].

    Attributes:
        current: the scorer in use.
        shadow: the scorer that is compared with the champion; None if there is none.
        deployed: the deployment in force for each role, usable or not.
        shadow_problem: why the deployed shadow cannot be used; None if it can.
        cold_start_stage: how far the company's history carries; None before anything was trained.
        signatures: which signatures of bundles count.
        swaps: how often the scorer changed since the start.
    """

    def __init__(
        self, playbook: Playbook, settings: Settings, *, database: Database, now: Callable[[], int] = now_us
    ) -> None:
        self._rules = compile_scorecard(playbook.scorecard, playbook.business)
        self._lifecycle = playbook.business.lifecycle
        self._models = settings.models
        self._database = database
        self._now = now
        self.signatures = SignatureCheck(settings, database, now=now)
        self._promotions = self._following(settings) if settings.follow_promotions else None
        self._loaded: OrderedDict[ScorerId, LiveScorer] = OrderedDict()
        self._stored_rules: set[str] = set()
        self._lock = threading.RLock()
        self._retry_at = 0.0
        self._is_closed = False
        self._seen: Seen | None = None
        self.current: LiveScorer
        self.shadow: LiveScorer | None = None
        self.deployed: Mapping[Role, Deployment] = {}
        self.shadow_problem: str | None = None
        self.cold_start_stage: ColdStartStage | None = None
        self.swaps = 0
        with self._lock:
            self._refresh()

    def _following(self, settings: Settings) -> Promotions:
        return Promotions(
            settings.models,
            self._database,
            now=self._now,
            admit=self.admit,
            require=self.signatures.require_local,
        )

    def refresh(self) -> bool:
        """
        Switch to another deployment if one is in force, and return whether anything was loaded.

        While the store does not answer, the scorer in use stays.
        """
        with self._lock:
            if self._is_closed:
                return False
            try:
                return self._refresh()
            except STORE_ERRORS as error:
                _LOG.warning("the deployments in force could not be read: %s", name_of(error))
            except Exception:  # noqa: BLE001 - the next refresh must come, whatever this one ran into
                _LOG.exception("the deployments in force could not be refreshed")
            return False

    def close(self) -> None:
        """Wait for the refresh in flight and do no other: the store is about to be closed."""
        with self._lock:
            self._is_closed = True

    def admit(self, scorer: Scorer) -> LiveScorer:
        """
        Compile a verified scorer for this store, and cache it.

        Raises:
            BundleError: it cannot answer on this store.
        """
        live = replace(admit_scorer(scorer, self._database.dialect), lifecycle=self._lifecycle)
        with self._lock:
            self._loaded[scorer.id] = live
            while len(self._loaded) > _LOADED:
                self._loaded.popitem(last=False)
        return live

    def _refresh(self) -> bool:
        again = self._retries()
        if self._promotions is not None:
            self._promotions.follow(again=again)
        with self._database.reading() as connection:
            deployed = deployments_in_force(connection)
            self.signatures.refresh(connection)
        problem = None if self._promotions is None else self._promotions.problem
        seen = deployed, tuple(file_stamp(self._models / name) for name in _WATCHED_FILES), problem
        changed = seen != self._seen or again
        if changed:
            self._forget_unsigned(deployed)
            self._take(deployed, problem)
            self._seen = seen
        self.deployed = deployed
        self._store_rules()
        return changed

    def _retries(self) -> bool:
        """Return whether it is time to retry an unusable model."""
        is_unusable = self._seen is not None and (self.current.stands_in or self.shadow_problem is not None)
        return is_unusable and time.monotonic() >= self._retry_at

    def _take(self, deployed: dict[Role, Deployment], problem: str | None) -> None:
        best = self._best(deployed.get("champion"), problem)
        self.cold_start_stage = self._read_cold_start_stage()
        self.shadow = self._shadow(deployed.get("shadow"))
        last = self._last
        if last is not None and last.scorer.id != best.scorer.id:
            self.swaps += 1
            _LOG.info("the scorer is now %s %s", best.scorer.id.name, best.scorer.id.version)
        if self.signatures.state(best.scorer) not in {None, "signed"}:
            _LOG.warning("the bundle of the scorer is %s", self.signatures.state(best.scorer))
        self.current = best
        self._retry_at = time.monotonic() + _RETRY_S

    def _forget_unsigned(self, deployed: dict[Role, Deployment]) -> None:
        """Load a model anew that was deployed again: it may have come with a signature this time."""
        before = {} if self._seen is None else self._seen[0]
        for role, deployment in deployed.items():
            live = None if deployment.scorer is None else self._loaded.get(deployment.scorer)
            if live is not None and deployment != before.get(role) and self.signatures.state(live.scorer) != "signed":
                del self._loaded[live.scorer.id]

    def _best(self, champion: Deployment | None, problem: str | None) -> LiveScorer:
        """Return the champion in force, or a stand-in if it or the newest promotion cannot be used."""
        if champion is None or champion.scorer is None:
            if problem is None:
                self._log_once(_NO_MODEL)
                return self._compiled_rules(_NO_MODEL)
            return self._rules_stand_in(problem)
        try:
            live = self._load(champion.scorer)
        except _UnusableError as error:
            problem = problem or f"the model in force cannot be used: {error}"
            self._log_once(problem)
            last = self._last_good(champion)
            return self._rules_stand_in(problem) if last is None else replace(last, problem=problem, stands_in=True)
        return live if problem is None else replace(live, problem=problem, stands_in=True)

    def _rules_stand_in(self, problem: str) -> LiveScorer:
        return self._compiled_rules(problem, stands_in=True)

    def _compiled_rules(self, problem: str, *, stands_in: bool = False) -> LiveScorer:
        rules, dialect = self._fitted_rules(), self._database.dialect
        return compile_scorer(rules, dialect=dialect, problem=problem, stands_in=stands_in, lifecycle=self._lifecycle)

    def _last_good(self, champion: Deployment) -> LiveScorer | None:
        """Return the newest earlier champion that can be used, or else the model that was in use."""
        with self._database.reading() as connection:
            earlier = earlier_champions(connection, champion.number)
        for scorer in earlier:
            try:
                return self._load(scorer)
            except _UnusableError:
                continue
        last = self._last
        return last if last is not None and last.scorer.id.kind == "model" else None

    def _shadow(self, deployment: Deployment | None) -> LiveScorer | None:
        self.shadow_problem, before = None, self.shadow_problem
        if deployment is None or deployment.scorer is None:
            return None
        try:
            return self._load(deployment.scorer)
        except _UnusableError as error:
            self.shadow_problem = f"the shadow cannot be used: {error}"
            if self.shadow_problem != before:
                _LOG.warning("%s", self.shadow_problem)
            return None

    def _load(self, scorer: ScorerId) -> LiveScorer:
        """
        Load a scorer from the store.

        Raises:
            _UnusableError: it is damaged, or cannot run on this store.
        """
        cached = self._loaded.get(scorer)
        if cached is not None:
            self._loaded.move_to_end(scorer)
            return cached
        try:
            with self._database.reading() as connection:
                loaded = load_scorer(connection, scorer.fingerprint)
            return self.admit(loaded)
        except STORE_ERRORS:
            raise  # the store is at fault, not the model
        except LeadscoreError as error:
            raise _UnusableError(str(error)) from None
        except Exception as error:  # noqa: BLE001 - whatever is in a damaged bundle, it must not end the service
            _LOG.warning("a damaged model: %s", scorer.fingerprint, exc_info=error)
            message = f"it is damaged ({type(error).__name__}); deploy it again."
            raise _UnusableError(message) from None

    def _log_once(self, problem: str) -> None:
        """Log a problem once, however often the model is retried."""
        if self._last is None or self._last.problem != problem:
            _LOG.warning("no usable model: %s", problem)

    def _read_cold_start_stage(self) -> ColdStartStage | None:
        try:
            return load_standing(self._models)
        except ModelError as error:
            _LOG.warning("the result of the newest training cannot be read: %s", error)
            return None

    @property
    def _last(self) -> LiveScorer | None:
        """The scorer in use so far; None before there was one."""
        last: LiveScorer | None = getattr(self, "current", None)
        return last

    def _fitted_rules(self) -> Scorecard:
        try:
            return load_scorecard_fit(self._models, self._rules)
        except ModelError as error:
            _LOG.warning("the point rules answer without their fit to history: %s", error)
            return self._rules

    def _store_rules(self) -> None:
        """Store the point rules in use, so that their receipts can be recomputed after the rules were edited."""
        card = self.current.scorer
        if not isinstance(card, Scorecard) or card.id.fingerprint in self._stored_rules:
            return
        with self._database.reading() as connection:
            is_there = is_stored(connection, card.id.fingerprint)
        if not is_there:
            try:
                with self._database.writing() as connection:
                    store_rules(connection, card, at=self._now())
            except STORE_ERRORS as error:  # answers do not wait for it; the next refresh tries again
                _LOG.warning("the point rules in use are not stored yet: %s", name_of(error))
                return
        self._stored_rules.add(card.id.fingerprint)


class _UnusableError(LeadscoreError):
    """A stored scorer cannot be used; the message names the cause."""
