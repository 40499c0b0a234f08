"""Any number of scorers on the same leads, over the same weeks, at the same capacity."""

from training.arena.arena import Arena, hold_arena
from training.arena.entrants import Entrant, LineUp, enter, line_up
from training.arena.replay import Calls, replay
from training.arena.weeks import Weeks

__all__ = [
    "Arena",
    "Calls",
    "Entrant",
    "LineUp",
    "Weeks",
    "enter",
    "hold_arena",
    "line_up",
    "replay",
]
