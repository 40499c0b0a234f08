"""What a training writes into its MLflow run: numbers, the training set, and a model that MLflow can serve."""

import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema, TensorSpec

from data.instants import now_us
from features.catalog import Catalog

_CODE = ("data", "features", "models")
_NEEDED = ("mlflow", "numba", "numpy", "pandas", "pyarrow", "pydantic", "pyyaml")
_ROOT = Path(__file__).resolve().parents[2]
MOST_METRICS = 120
"""More numbers than these make the page of a run useless; all of them stand in ``metrics.json``."""

_NOT_SERVED = ("__pycache__", "store", "playbooks", "simulation")


def log_parameters(run_id: str, parameters: Mapping[str, Any]) -> None:
    """Write the parameters of a training into the run."""
    mlflow.MlflowClient().log_batch(run_id, params=[Param(name, str(value)) for name, value in parameters.items()])


def log_metrics(run_id: str, metrics: Mapping[str, float], *, model_id: str, measured_on: Dataset) -> None:
    """
    Write numbers into the run, as those of its model on a data set.

    The model must be logged before them: MLflow would otherwise load the history of each number in the run, one by one.

    Args:
        run_id: the run.
        metrics: at most `MOST_METRICS`; MLflow's page of a run draws a chart of each.
        model_id: the logged model.
        measured_on: one of the run's data sets.
    """
    now_ms, used = now_us() // 1_000, {"dataset_name": measured_on.name, "dataset_digest": measured_on.digest}
    numbers = [Metric(name, value, now_ms, 0, model_id=model_id, **used) for name, value in metrics.items()]
    mlflow.MlflowClient().log_batch(run_id, metrics=numbers)


def log_datasets(run_id: str, place: Path, *, manifest: Mapping[str, Any]) -> Dataset:
    """
    Name the training set and its test weeks as the run's inputs: where they lie, their hash and their size.

    Returns:
        The test weeks, on which the model is measured.
    """
    whole = _dataset(
        "training set", place, manifest, taken=("rows", "mature", "leads", "features", "cutoff_at", "mature_until")
    )
    weeks = _dataset("test weeks", place, manifest, taken=("blocks", "positives", "plan"))
    inputs = [
        DatasetInput(used, [InputTag("mlflow.data.context", context)])
        for used, context in ((whole, "training"), (weeks, "evaluation"))
    ]
    mlflow.MlflowClient().log_inputs(run_id, datasets=inputs)
    return weeks


def _dataset(part: str, place: Path, manifest: Mapping[str, Any], *, taken: Iterable[str]) -> Dataset:
    return Dataset(
        name=f"{manifest['playbook']} {part}",
        digest=str(manifest["rows_sha256"])[:32],
        source_type="local",
        source=json.dumps({"uri": place.resolve().as_uri()}),
        profile=json.dumps({name: manifest[name] for name in taken}),
    )


def log_model(bundle: Path, catalog: Catalog, *, example: pd.DataFrame) -> str:
    """
    Write the bundle into the run as a model that MLflow can serve; nothing is registered yet.

    Args:
        bundle: the saved bundle.
        catalog: its features, which become the signature's columns.
        example: a few rows of features.

    Returns:
        The id of the logged model.
    """
    with tempfile.TemporaryDirectory(prefix="leadscore-code-") as code:
        info = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(Path(__file__).with_name("served_model.py")),
            artifacts={"bundle": str(bundle)},
            code_paths=_served_code(Path(code)),
            signature=signature_of(catalog),
            input_example=example,
            pip_requirements=[f"{name}=={metadata.version(name)}" for name in _NEEDED],
        )
    return str(info.model_id)


def signature_of(catalog: Catalog) -> ModelSignature:
    """
    Return the columns that the served model takes, each of which may be missing, and that it answers with a class.

    ``predict_method`` asks for another answer; see ``served_model.py``.
    """
    kinds = [DataType.string if feature.is_category else DataType.double for feature in catalog.features]
    inputs: list[ColSpec | TensorSpec] = [
        ColSpec(kind, name, required=False) for kind, name in zip(kinds, catalog.names, strict=True)
    ]
    method = ParamSpec("predict_method", DataType.string, "predict")
    return ModelSignature(Schema(inputs), Schema([ColSpec(DataType.long)]), ParamSchema([method]))


def _served_code(place: Path) -> list[str]:
    """Copy the code that scoring needs, and nothing that lies beside it on this machine."""
    for package in _CODE:
        shutil.copytree(_ROOT / package, place / package, ignore=_only_code)
    return [str(place / package) for package in _CODE]


def _only_code(folder: str, names: list[str]) -> list[str]:
    """Name what is not copied: everything but Python files and the packages they form."""
    here = Path(folder)
    return [name for name in names if name in _NOT_SERVED or not ((here / name).is_dir() or name.endswith(".py"))]
