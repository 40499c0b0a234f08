"""An evaluation written into a folder: the report, the card twice, and the evaluation itself."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from training.errors import TrainingError
from training.evaluation.evaluation_document import FILE, Evaluation
from training.reporting.card import card_of, render_card
from training.reporting.report import render_report

REPORT, CARD, CARD_JSON = "report.html", "card.html", "card.json"


def write_report(evaluation: Evaluation, place: Path) -> list[Path]:
    """
    Write the four files, whole or not at all; a folder that stands there is kept until they are.

    Args:
        evaluation: what a training found.
        place: the folder, which holds these files alone.

    Returns:
        The files: ``report.html``, ``card.html``, ``card.json`` and ``evaluation.json``.

    Raises:
        TrainingError: they cannot be written there.
    """
    texts = {
        REPORT: render_report(evaluation),
        CARD: render_card(evaluation),
        CARD_JSON: card_of(evaluation).to_json(),
        FILE: evaluation.to_json(),
    }
    try:
        _write(texts, place)
    except OSError as error:
        message = (
            f"The report cannot be written to {place} ({error.strerror or error}): make room there and allow writing, "
            "or name another folder."
        )
        raise TrainingError(message) from None
    return [place / name for name in texts]


def _write(texts: Mapping[str, str], place: Path) -> None:
    draft, before = (place.with_name(f".{place.name}.{os.getpid()}.{what}") for what in ("new", "old"))
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        for name, text in texts.items():
            (draft / name).write_text(text, encoding="utf-8")
        _exchange(draft, place, before=before)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _exchange(draft: Path, place: Path, *, before: Path) -> None:
    """Move the draft to its place; what stood there comes back if that fails."""
    if not place.exists():
        draft.rename(place)
        return
    place.rename(before)
    try:
        draft.rename(place)
    except OSError:
        before.rename(place)
        raise
    shutil.rmtree(before)
