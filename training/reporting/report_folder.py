"""An evaluation written into a folder: the report, the card twice, and the evaluation itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data.atomic_files import new_folder, write_whole
from training.errors import TrainingError
from training.evaluation.evaluation_document import FILE, LEARNED_RULES, Evaluation, read_evaluation
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
    with _errors_as_sentences(place), new_folder(place, overwrite=True, only={*texts, LEARNED_RULES}) as draft:
        for name, text in texts.items():
            (draft / name).write_text(text, encoding="utf-8")
    return [place / name for name in texts]


def renew_card(place: Path, *, signed_by: str) -> None:
    """
    Write the card again once its bundle is signed; the evaluation that it is made of stays as it is.

    Args:
        place: the folder that a training's report was written to.
        signed_by: the id of the key.

    Raises:
        TrainingError: the evaluation cannot be read, or the card cannot be written.
    """
    evaluation = read_evaluation(place)
    with _errors_as_sentences(place):
        write_whole(place / CARD, render_card(evaluation, signed_by=signed_by))
        write_whole(place / CARD_JSON, card_of(evaluation, signed_by=signed_by).to_json())


@contextmanager
def _errors_as_sentences(place: Path) -> Iterator[None]:
    """Turn an error of the disk in the block into one sentence."""
    try:
        yield
    except OSError as error:
        message = (
            f"The report cannot be written to {place} ({error.strerror or error}): make room there and allow writing, "
            "or name another folder."
        )
        raise TrainingError(message) from None
