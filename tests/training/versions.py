"""A home with versions of a small model, registered and ready to be promoted; and processes that stop on the way."""

import contextlib
import os
import shutil
import signal
import time
from pathlib import Path

from mlflow.exceptions import MlflowException

from data import atomic_files
from data.home import Home
from data.words.playbook import load_playbook
from data.workspace import Workspace
from models.bundle import save_bundle
from training.errors import LeadscoreError
from training.registry import champion_pointer
from training.registry import promote as promoting
from training.registry.mlflow_registry import CHALLENGER, Registry
from training.registry.promotion_history import JOURNAL

DEMO = Path(__file__).resolve().parents[2] / "data" / "playbooks" / "demo"
"""Its name alone matters here: nothing of its history is read."""


def register(home, bundle_of, *, facts=None):
    """Register a bundle under a run of its own: ``bundle_of`` writes it into the folder it is given."""
    registry = Registry(home, "demo")
    client = registry.client()
    found = client.get_experiment_by_name(registry.model_name)
    experiment = found.experiment_id if found else client.create_experiment(registry.model_name)
    if not client.search_registered_models(f"name = '{registry.model_name}'"):
        client.create_registered_model(registry.model_name)
    run_id = client.create_run(experiment).info.run_id
    saved = bundle_of(registry.models / "bundles" / run_id)
    tags = {"bundle_fingerprint": saved.id.fingerprint}
    made = client.create_model_version(registry.model_name, "nowhere", run_id, tags=tags)
    client.set_registered_model_alias(registry.model_name, CHALLENGER, made.version)
    return str(made.version)


def stock(home, versions):
    """Register so many versions, each with a bundle of its own."""
    from tests.models.small import fitted, golden  # LightGBM, which no process that moves a version needs

    model, booster = fitted()

    def bundle_of(number):
        return lambda folder: save_bundle(
            model, folder, lightgbm_text=booster.model_to_string(), golden=golden(), facts={"of": number}
        )

    for number in range(1, versions + 1):
        register(home, bundle_of(number))


def copied(home, place):
    """Return a copy of a home, to be changed."""
    shutil.copytree(home.root, place)
    return Home(place)


def afresh(home):
    """Take back every change of the champion of a home, so that nothing serves there."""
    for left in ("champion.json", JOURNAL):
        (home.models("demo") / left).unlink(missing_ok=True)
    with contextlib.suppress(MlflowException):
        Registry(home, "demo").client().delete_registered_model_alias("leadscore-demo", "champion")
    return home


STEPS = {
    "before the pointer": (champion_pointer, "point_to"),
    "before the journal": (champion_pointer, "_append"),
    "in the journal's line": (atomic_files, "_write_all"),
    "before the alias": (promoting, "_set_alias"),
    "before the answer": (promoting, "RollbackResult"),
}
"""Where a process can be stopped, in the order it gets there."""


def stop_at(step, root, reached):
    """Roll back, and stay at the step for ever; ``reached`` hears of it."""
    module, name = STEPS[step]
    really = getattr(module, name)

    def stay(*args, **kwargs):
        if step == "in the journal's line":
            file, line = args
            os.write(file.fileno(), line[: len(line) // 2])
        reached.set()
        time.sleep(300)
        return really(*args, **kwargs)

    setattr(module, name, stay)
    promoting.rollback_version(Workspace(load_playbook(DEMO), Home(root)))


def compete(version, root, start, answers):
    """Promote a version when all others are as far, and say how it ended."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ["LEADSCORE_USER"] = f"seller {version}"
    really = promoting._change_champion

    def together(*args, **kwargs):
        start.wait(60)
        return really(*args, **kwargs)

    promoting._change_champion = together
    try:
        promoting.promote_version(
            Workspace(load_playbook(DEMO), Home(root)), version=version, force=True, reason=f"wants {version}"
        )
    except LeadscoreError as error:
        answers.put((version, str(error)))
    else:
        answers.put((version, None))
