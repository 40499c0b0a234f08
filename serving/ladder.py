"""Which scorer answers: the promoted model, else the last good one, else the point rules."""

import logging
from pathlib import Path

from data.errors import LeadscoreError
from data.playbook import PlaybookFolder
from models.champion import load_champion, load_scorecard_fit
from models.errors import ModelError
from models.scorecard import Scorecard, compile_scorecard
from serving.scoring import LiveScorer, go_live

_LOG = logging.getLogger("leadscore.serving")
_WATCHED = ("champion.json", "scorecard.json")
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
        self._seen: Seen = ()
        self.current: LiveScorer
        self.refresh()

    def refresh(self) -> bool:
        """Look whether another model was promoted, take it if so, and say whether anything was loaded."""
        seen = tuple(map(_stamp, (self._models / name for name in _WATCHED)))
        if seen == self._seen:
            return False
        self._seen = seen
        self.current = self._best()
        return True

    def _best(self) -> LiveScorer:
        try:
            return go_live(load_champion(self._models))
        except LeadscoreError as error:
            return self._stand_in(str(error))
        except Exception as error:  # noqa: BLE001 - whatever is in a damaged bundle, it must not end the service
            _LOG.exception("the promoted model cannot be used")
            return self._stand_in(f"the promoted model cannot be used ({type(error).__name__}): promote another one.")

    def _stand_in(self, problem: str) -> LiveScorer:
        _LOG.warning("no usable model: %s", problem)
        last: LiveScorer | None = getattr(self, "current", None)
        if last is not None and last.scorer.id.kind == "model" and (self._models / _WATCHED[0]).exists():
            return LiveScorer(last.scorer, last.one, last.many, problem)
        return go_live(self._fitted_rules(), problem=problem)

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
