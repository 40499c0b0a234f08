"""Any number of scorers on the same leads, over the same weeks, at the same capacity."""

from training.replay.calls import Calls, call_leads
from training.replay.participants import Participant, Participants, choose_participants, participant_of
from training.replay.replay import Replay, run_replay
from training.replay.weeks import Weeks

__all__ = [
    "Calls",
    "Participant",
    "Participants",
    "Replay",
    "Weeks",
    "call_leads",
    "choose_participants",
    "participant_of",
    "run_replay",
]
