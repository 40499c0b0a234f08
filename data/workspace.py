"""A workspace: one business, and where leadscore keeps what it makes for it."""

from dataclasses import dataclass

from data.home import Home
from data.words.playbook import Playbook


@dataclass(frozen=True, slots=True)
class Workspace:
    """What every verb works on: a playbook, and the folder of local tables and models."""

    playbook: Playbook
    home: Home
