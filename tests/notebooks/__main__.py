"""
Run the notebooks and keep their outputs: ``make notebooks``.

They show a simulated company, which is made and trained on in a temporary folder: the same leads every time.
"""

import sys
import tempfile
from pathlib import Path

from data.commands import simulate
from data.home import Home
from data.progress import shown
from data.words.playbook import load_playbook
from data.workspace import Workspace
from tests.notebooks.execution import NAMES, executed, write
from training import train

LEADS, SEED, UNTIL = 6_000, 7, "2026-03-01"


def main() -> int:
    """Make the company, train, and run the notebooks; they are written once all of them came to their end."""
    with tempfile.TemporaryDirectory() as folder, shown() as progress:
        company, home = Path(folder) / "demo", Home(Path(folder) / "home")
        simulate(company, leads=LEADS, seed=SEED, until=UNTIL, progress=progress)
        train(Workspace(load_playbook(company), home), progress=progress)
        done = {}
        for at, name in enumerate(NAMES):
            progress("running notebooks", at, len(NAMES))
            done[name] = executed(name, playbook=company, home=home)
        progress("running notebooks", len(NAMES), len(NAMES))
    for name, notebook in done.items():
        write(name, notebook)
    return 0


if __name__ == "__main__":
    sys.exit(main())
