"""What a training writes into its MLflow run: numbers, the training set, and a model that MLflow can serve."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema, TensorSpec

from data.instants import now_us
from features.catalog import Catalog

_CODE = ("data", "features", "models")
_NEEDED = ("mlflow", "numba", "numpy", "pandas", "pyarrow", "pydantic", "pyyaml")
_ROOT = Path(__file__).resolve().parents[2]
_NOT_SERVED = ("__pycache__", "store", "playbooks", "simulation")


def log_parameters(run_id: str, parameters: Mapping[str, Any]) -> None:
    """Write the parameters of a training into the run."""
    mlflow.MlflowClient().log_batch(run_id, params=[Param(name, str(value)) for name, value in parameters.items()])


def log_metrics(run_id: str, metrics: Mapping[str, float], *, model_id: str) -> None:
    """
    Write numbers into the run, as those of its model.

    The model must be logged before them: MLflow would otherwise load the history of each number in the run, one by one.
    """
    now_ms = now_us() // 1_000
    numbers = [Metric(name, value, now_ms, 0, model_id=model_id) for name, value in metrics.items()]
    mlflow.MlflowClient().log_batch(run_id, metrics=numbers)


def log_dataset(run_id: str, place: Path, *, manifest: Mapping[str, Any]) -> None:
    """Name the training set as the run's input: where it lies, its hash and its size."""
    taken = ("rows", "mature", "leads", "features", "cutoff_at", "mature_until")
    used = Dataset(
        name=f"{manifest['playbook']} training set",
        digest=str(manifest["rows_sha256"])[:32],
        source_type="local",
        source=json.dumps({"uri": place.resolve().as_uri()}),
        profile=json.dumps({name: manifest[name] for name in taken}),
    )
    context = [InputTag("mlflow.data.context", "training")]
    mlflow.MlflowClient().log_inputs(run_id, datasets=[DatasetInput(used, context)])


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
    """Return the columns that the served model takes and returns; every feature may be missing."""
    kinds = [DataType.string if feature.is_category else DataType.double for feature in catalog.features]
    inputs: list[ColSpec | TensorSpec] = [
        ColSpec(kind, name, required=False) for kind, name in zip(kinds, catalog.names, strict=True)
    ]
    outputs = {
        "probability": DataType.double,
        "points": DataType.double,
        "score": DataType.long,
        "grade": DataType.string,
    }
    return ModelSignature(Schema(inputs), Schema([ColSpec(kind, name) for name, kind in outputs.items()]))


def _served_code(place: Path) -> list[str]:
    """Copy the code that scoring needs, and nothing that lies beside it on this machine."""
    for package in _CODE:
        shutil.copytree(_ROOT / package, place / package, ignore=_only_code)
    return [str(place / package) for package in _CODE]


def _only_code(folder: str, names: list[str]) -> list[str]:
    """Name what is not copied: everything but Python files and the packages they form."""
    here = Path(folder)
    return [name for name in names if name in _NOT_SERVED or not ((here / name).is_dir() or name.endswith(".py"))]
