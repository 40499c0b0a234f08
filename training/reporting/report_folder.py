"""A judgement written into a folder: the report, the card twice, and the judgement itself that they were made of."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data.atomic_files import new_folder
from training.errors import TrainingError
from training.reporting.card import card_of, render_card
from training.reporting.report import render_report
from training.reporting.report_view import complete

REPORT, CARD, CARD_JSON, JUDGEMENT = "report.html", "card.html", "card.json", "judgement.json"


def write_report(judgement: Mapping[str, Any], place: Path) -> list[Path]:
    """
    Write the four files, whole or not at all; a folder that stands there is kept until they are.

    Args:
        judgement: what a training found.
        place: the folder, which holds these files alone.

    Returns:
        The files: ``report.html``, ``card.html``, ``card.json`` and ``judgement.json``.

    Raises:
        TrainingError: they cannot be written there.
    """
    texts = {
        REPORT: render_report(judgement),
        CARD: render_card(judgement),
        CARD_JSON: _json(card_of(judgement)),
        JUDGEMENT: _json(complete(judgement)),
    }
    try:
        with new_folder(place, overwrite=True) as draft:
            for name, text in texts.items():
                (draft / name).write_text(text, encoding="utf-8")
    except OSError as error:
        message = (
            f"The report cannot be written to {place} ({error.strerror or error}): make room there and allow writing, "
            "or name another folder."
        )
        raise TrainingError(message) from None
    return [place / name for name in texts]


def _json(content: Any) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
