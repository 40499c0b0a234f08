"""A process that trains and waits at a step, so that a test can interrupt it there: playbook, home, step or end."""

import signal
import sys
import time
from pathlib import Path

from data.home import Home
from data.words.playbook import load_playbook
from data.workspace import Workspace
from training import commands
from training.fitting import fit as fitting
from training.registry import mlflow_registry
from training.registry import register as registering


def stopping(function, seconds):
    """Print that the step is reached, and stay there for a while."""

    def step(*args, **kwargs):
        print("reached", flush=True)  # noqa: T201 - the test waits for this line
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(0.1)
        return function(*args, **kwargs)

    return step


STEPS = {"log_model": registering, "register": mlflow_registry.Registry}

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
    folder, home, name = load_playbook(Path(sys.argv[1])), Home(Path(sys.argv[2])), sys.argv[3]
    fitting.MOST_ROUNDS = 20  # how good the model is does not matter here
    if name in STEPS:
        setattr(STEPS[name], name, stopping(getattr(STEPS[name], name), 3 if name == "register" else 300))
    commands.train(Workspace(folder, home))
