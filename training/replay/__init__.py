"""Any number of scorers on the same leads, over the same weeks, at the same capacity."""

from training.replay.calls import Calls, replay
from training.replay.participants import Participant, Participants, enter, line_up
from training.replay.replay import Replay, hold_arena
from training.replay.weeks import Weeks

__all__ = [
    "Calls",
    "Participant",
    "Participants",
    "Replay",
    "Weeks",
    "enter",
    "hold_arena",
    "line_up",
    "replay",
]
