"""
The cold-start stage: how far a company's history carries, from point rules alone to a full model.

``standing.json`` beside the bundles holds what the newest training found; training writes it, serving shows it.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from data.atomic_files import write_whole
from models.checked_json import fields, loads, whole
from models.errors import BundleError, StructureError

Rung = Literal["rules only", "small model", "full model"]
_FILE = "standing.json"


@dataclass(frozen=True, slots=True)
class ColdStartStage:
    """
    The cold-start stage that a company has reached.

    Attributes:
        rung: what its history suffices for.
        succeeded: leads of the training period that reached the goal.
        failed: leads of the training period that did not.
        missing: what the next stage needs, in words; empty at the last.
    """

    rung: Rung
    succeeded: int
    failed: int
    missing: str

    @property
    def says(self) -> str:
        """
        The stage, the sample and what is missing, in one sentence.

        >>> print(ColdStartStage("small model", 120, 3000, "380 more leads that reach sql make a full model").says)
        Small model, from 120 leads that succeeded and 3,000 that did not: 380 more leads that reach sql make a full ...
        """
        sample = (
            f"{self.rung.capitalize()}, from {self.succeeded:,} leads that succeeded and {self.failed:,} that did not"
        )
        return f"{sample}: {self.missing}." if self.missing else f"{sample}."

    def as_json(self) -> dict[str, Any]:
        """Write it as every report gives it."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: object) -> "ColdStartStage":
        """
        Read it back.

        Raises:
            StructureError: it is not one.
        """
        given = fields(content, "standing", ("rung", "succeeded", "failed", "missing"))
        if given["rung"] not in get_args(Rung) or not isinstance(given["missing"], str):
            raise StructureError(where="standing", found=given["rung"], expected=", ".join(get_args(Rung)))
        counts = (whole(given["succeeded"], "succeeded"), whole(given["failed"], "failed"))
        return cls(given["rung"], *counts, given["missing"])


def save_standing(models: Path, standing: ColdStartStage) -> None:
    """Save the stage that the newest training found."""
    write_whole(models / _FILE, json.dumps(standing.as_json(), sort_keys=True, indent=1))


def load_standing(models: Path) -> ColdStartStage | None:
    """
    Load the stage that the newest training found; None before the first training.

    Raises:
        ModelError: the file is damaged.
    """
    path = models / _FILE
    try:
        return ColdStartStage.from_json(loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path} cannot be read ({error}): train again."
        raise BundleError(message) from None
