"""The MLflow run of a training: its experiment, its name, and how it ended."""

from collections.abc import Iterator
from contextlib import contextmanager

import mlflow
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NAME, MLFLOW_RUN_NOTE

from data.instants import iso, now_us
from training.registry.mlflow_registry import Registry
from training.statistics.number_format import minute

EXPERIMENT_TAGS = {
    "mlflow.experimentKind": "custom_model_development",
    "mlflow.note.content": "The trainings of one playbook: leadscore registers each as a version, and promotes some.",
}
"""MLflow opens an experiment of this kind on its runs and models; of another, on the traces of a language model."""


@contextmanager
def open_training_run(registry: Registry) -> Iterator[str]:
    """
    Open a run and yield its id; its status tells how the block ended: FINISHED, KILLED after Ctrl-C, or FAILED.

    Raises:
        RegistryError: the registry cannot be read, or what the block makes cannot be written.
    """
    client = registry.client()
    with registry.errors_as_sentences():
        _open_experiment(client, registry)
        name = f"training of {minute(iso(now_us()))}"
        with mlflow.start_run(run_name=name, log_system_metrics=False) as active:
            try:
                yield active.info.run_id
            except KeyboardInterrupt:
                mlflow.end_run("KILLED")
                raise


def describe_run(run_id: str, *, description: str) -> None:
    """Describe in the run what the training found."""
    mlflow.MlflowClient().set_tag(run_id, MLFLOW_RUN_NOTE, description)


def name_run_after(version: str, run_id: str, *, trained_at: str) -> None:
    """Name the run after the version that came of it."""
    mlflow.MlflowClient().set_tag(run_id, MLFLOW_RUN_NAME, f"version {version}, {minute(trained_at)}")


def _open_experiment(client: mlflow.MlflowClient, registry: Registry) -> None:
    """Make the experiment of the registry's model current; one of an earlier release is told its kind."""
    found = client.get_experiment_by_name(registry.model_name)
    if found is None:
        client.create_experiment(
            registry.model_name, artifact_location=registry.artifacts_uri, tags=dict(EXPERIMENT_TAGS)
        )
    else:
        for name in EXPERIMENT_TAGS.keys() - found.tags.keys():
            client.set_experiment_tag(found.experiment_id, name, EXPERIMENT_TAGS[name])
    mlflow.set_experiment(registry.model_name)
