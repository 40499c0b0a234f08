"""
Run the notebooks and keep their outputs: ``make notebooks``.

They show a simulated company, which is made and trained on in a temporary folder: the same leads every time.
"""

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from data.home import Home
from data.playbook import load_playbook
from data.progress import shown
from data.simulation import simulate
from tests.notebooks.execution import NAMES, executed, write
from training import train

LEADS, SEED, UNTIL = 6_000, 7, datetime(2026, 3, 1, tzinfo=UTC)


def main() -> int:
    """Make the company, train, run them one by one."""
    with tempfile.TemporaryDirectory() as folder:
        company, home = Path(folder) / "company", Home(Path(folder) / "home")
        with shown() as progress:
            simulate(company, leads=LEADS, seed=SEED, until=UNTIL, progress=progress)
            train(load_playbook(company), home, progress=progress)
            for at, name in enumerate(NAMES):
                progress("running notebooks", at, len(NAMES))
                write(name, executed(name, playbook=company, home=home))
            progress("running notebooks", len(NAMES), len(NAMES))
    return 0


if __name__ == "__main__":
    sys.exit(main())
