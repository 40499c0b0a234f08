"""Which scorer answers: the champion in force, else the last good model, else the point rules."""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace

from data.errors import LeadscoreError
from data.instants import now_us
from data.playbook import Playbook
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
from serving.settings import Settings
from serving.store.database import STORE_ERRORS, Database

_LOG = logging.getLogger("leadscore.serving")
_FILES = ("scorecard.json", "standing.json")
_RETRY_S = 5.0  # a model that cannot be used may have been repaired
_LOADED = 4
_NOBODY = "no model serves yet: run leadscore train, then leadscore promote."
Seen = tuple[dict[Role, Deployment], tuple[Stamp, ...], str | None]


class ActiveScorer:
    """
    The scorer in use and the one that is only compared, each replaced in one step when another one is deployed.

    Args:
        folder: the playbook with its point rules.
        settings: where promoted models and what history taught about the rules stand, and whether to follow promotions.
        database: the store, which says who is in force.
        now: the present instant [us since 1970 UTC].

    Attributes:
        current: who answers.
        shadow: who is compared with the champion; None where nobody is.
        deployed: who is in force in each role, whether usable or not.
        shadow_problem: why a deployed shadow cannot be used, if it cannot.
        cold_start_stage: how far the company's history carries; None before anything was trained.
        swaps: how often another scorer took over since the start.
    """

    def __init__(
        self, playbook: Playbook, settings: Settings, *, database: Database, now: Callable[[], int] = now_us
    ) -> None:
        self._rules = compile_scorecard(playbook.scorecard, playbook.business)
        self._models = settings.models
        self._database = database
        self._now = now
        self._promotions = (
            Promotions(settings.models, database, now=now, admit=self.admit) if settings.follow_promotions else None
        )
        self._loaded: OrderedDict[ScorerId, LiveScorer] = OrderedDict()
        self._remembered: set[str] = set()
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
            self._look()

    def refresh(self) -> bool:
        """
        Look whether somebody else is in force, let them answer if so, and say whether anything was loaded.

        While the store cannot be asked, whoever answers goes on answering.
        """
        with self._lock:
            if self._is_closed:
                return False
            try:
                return self._look()
            except STORE_ERRORS as error:
                _LOG.warning("the store does not say who is in force: %s", type(getattr(error, "orig", error)).__name__)
            except Exception:  # noqa: BLE001 - without a next look no model would ever be taken again
                _LOG.exception("who is in force could not be looked up")
            return False

    def close(self) -> None:
        """Let the look that is under way finish, and look no more: the store is about to be closed."""
        with self._lock:
            self._is_closed = True

    def admit(self, scorer: Scorer) -> LiveScorer:
        """
        Get a verified scorer ready to answer, and keep it so for a while.

        Raises:
            BundleError: it cannot answer on this store.
        """
        live = admit_scorer(scorer, self._database)
        with self._lock:
            self._loaded[scorer.id] = live
            while len(self._loaded) > _LOADED:
                self._loaded.popitem(last=False)
        return live

    def _look(self) -> bool:
        again = self._retries()
        if self._promotions is not None:
            self._promotions.follow(again=again)
        with self._database.reading() as connection:
            deployed = deployments_in_force(connection)
        problem = None if self._promotions is None else self._promotions.problem
        seen = deployed, tuple(file_stamp(self._models / name) for name in _FILES), problem
        changed = seen != self._seen or again
        if changed:
            self._take(deployed, problem)
            self._seen = seen
        self.deployed = deployed
        self._remember()
        return changed

    def _retries(self) -> bool:
        """Say whether it is time to try a model again that could not be used."""
        waits = self._seen is not None and (self.current.stands_in or self.shadow_problem is not None)
        return waits and time.monotonic() >= self._retry_at

    def _take(self, deployed: dict[Role, Deployment], problem: str | None) -> None:
        best = self._best(deployed.get("champion"), problem)
        self.cold_start_stage = self._standing()
        self.shadow = self._shadow(deployed.get("shadow"))
        last = self._last
        if last is not None and last.scorer.id != best.scorer.id:
            self.swaps += 1
            _LOG.info("%s %s answers now", best.scorer.id.name, best.scorer.id.version)
        self.current = best
        self._retry_at = time.monotonic() + _RETRY_S

    def _best(self, champion: Deployment | None, problem: str | None) -> LiveScorer:
        """Give the champion in force; where it or the newest promotion cannot be used, whoever stands in."""
        if champion is None or champion.scorer is None:
            if problem is None:
                self._tell(_NOBODY)
                return compile_scorer(self._fitted_rules(), dialect=self._database.dialect, problem=_NOBODY)
            return self._rules_stand_in(problem)
        try:
            live = self._load(champion.scorer)
        except _UnusableError as error:
            problem = problem or f"the model in force cannot be used: {error}"
            self._tell(problem)
            last = self._last_good(champion)
            return self._rules_stand_in(problem) if last is None else replace(last, problem=problem, stands_in=True)
        return live if problem is None else replace(live, problem=problem, stands_in=True)

    def _rules_stand_in(self, problem: str) -> LiveScorer:
        return compile_scorer(self._fitted_rules(), dialect=self._database.dialect, problem=problem, stands_in=True)

    def _last_good(self, champion: Deployment) -> LiveScorer | None:
        """Give the newest earlier champion that can be used, or else the model that this process answered with."""
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
        Give a scorer of the store, ready to answer.

        Raises:
            _UnusableError: it is damaged, or cannot answer on this store.
        """
        found = self._loaded.get(scorer)
        if found is not None:
            self._loaded.move_to_end(scorer)
            return found
        try:
            with self._database.reading() as connection:
                loaded = load_scorer(connection, scorer.fingerprint)
            return self.admit(loaded)
        except STORE_ERRORS:
            raise  # it is the store that cannot be used
        except LeadscoreError as error:
            raise _UnusableError(str(error)) from None
        except Exception as error:  # noqa: BLE001 - whatever is in a damaged bundle, it must not end the service
            _LOG.warning("a damaged model: %s", scorer.fingerprint, exc_info=error)
            message = f"it is damaged ({type(error).__name__}); deploy it again."
            raise _UnusableError(message) from None

    def _tell(self, problem: str) -> None:
        """Log a problem once, however often the model is tried."""
        if self._last is None or self._last.problem != problem:
            _LOG.warning("no usable model: %s", problem)

    def _standing(self) -> ColdStartStage | None:
        try:
            return load_standing(self._models)
        except ModelError as error:
            _LOG.warning("what the newest training found is not known: %s", error)
            return None

    @property
    def _last(self) -> LiveScorer | None:
        """Give the scorer in use so far; None before there was one."""
        last: LiveScorer | None = getattr(self, "current", None)
        return last

    def _fitted_rules(self) -> Scorecard:
        try:
            return load_scorecard_fit(self._models, self._rules)
        except ModelError as error:
            _LOG.warning("the point rules answer without what history taught: %s", error)
            return self._rules

    def _remember(self) -> None:
        """Keep the point rules that answer, so that their receipts can be given again once the rules were edited."""
        card = self.current.scorer
        if not isinstance(card, Scorecard) or card.id.fingerprint in self._remembered:
            return
        with self._database.reading() as connection:
            there = is_stored(connection, card.id.fingerprint)
        if not there:
            try:
                with self._database.writing() as connection:
                    store_rules(connection, card, at=self._now())
            except STORE_ERRORS as error:  # answering does not wait for it; the next look tries again
                _LOG.warning(
                    "the point rules that answer are not kept yet: %s", type(getattr(error, "orig", error)).__name__
                )
                return
        self._remembered.add(card.id.fingerprint)


class _UnusableError(LeadscoreError):
    """A scorer that the store holds cannot be used; says why."""
