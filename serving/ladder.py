"""Which scorer answers: the promoted model, else the last good one, else the point rules."""

import logging
import time
from dataclasses import replace
from pathlib import Path

from data.errors import LeadscoreError
from data.playbook import PlaybookFolder
from models.champion import NoChampionError, load_champion, load_scorecard_fit
from models.errors import ModelError
from models.scorecard import Scorecard, compile_scorecard
from models.standing import Standing, load_standing
from serving.scoring import LiveScorer, go_live

_LOG = logging.getLogger("leadscore.serving")
_WATCHED = ("champion.json", "scorecard.json", "standing.json")
_RETRY_S = 5.0  # a promoted model that cannot be used may have been repaired
Seen = tuple[tuple[int, int, int] | None, ...]


class Ladder:
    """
    The scorer in use, replaced in one step when another model is promoted.

    Args:
        folder: the playbook with its point rules.
        models: where the pointer to the champion and its bundle stand.
    """

    def __init__(self, folder: PlaybookFolder, models: Path) -> None:
        self._rules = compile_scorecard(folder.scorecard, folder.playbook)
        self._models = models
        self._retry_at = 0.0
        self._seen: Seen = ()
        self.current: LiveScorer
        self.standing: Standing | None = None
        self.refresh()

    def refresh(self) -> bool:
        """Look whether another model was promoted, take it if so, and say whether anything was loaded."""
        seen = tuple(map(_stamp, (self._models / name for name in _WATCHED)))
        if seen == self._seen and not self._retries():
            return False
        self._seen = seen
        self.current = self._best()
        self.standing = self._standing()
        self._retry_at = time.monotonic() + _RETRY_S
        return True

    def _retries(self) -> bool:
        """Say whether it is time to try a promoted model again that could not be used."""
        return self.current.stands_in and time.monotonic() >= self._retry_at

    def _best(self) -> LiveScorer:
        try:
            return go_live(load_champion(self._models))
        except NoChampionError as error:
            self._tell(str(error))
            return go_live(self._fitted_rules(), problem=str(error))
        except LeadscoreError as error:
            return self._stand_in(str(error))
        except Exception as error:  # noqa: BLE001 - whatever is in a damaged bundle, it must not end the service
            found = f"the promoted model cannot be used ({type(error).__name__}): promote another one."
            return self._stand_in(found, error)

    def _stand_in(self, problem: str, cause: Exception | None = None) -> LiveScorer:
        self._tell(problem, cause)
        last = self._last
        if last is not None and last.scorer.id.kind == "model":
            return replace(last, problem=problem, stands_in=True)
        return go_live(self._fitted_rules(), problem=problem, stands_in=True)

    def _tell(self, problem: str, cause: Exception | None = None) -> None:
        """Log a problem once, however often the model is tried."""
        if self._last is None or self._last.problem != problem:
            _LOG.warning("no usable model: %s", problem, exc_info=cause)

    def _standing(self) -> Standing | None:
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


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Give what changes whenever a file is replaced; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
