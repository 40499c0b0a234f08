"""The report, its charts and the model card: pure functions of what a training found."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from training.reporting.card import card_of, render_card
    from training.reporting.metric_names import METRICS
    from training.reporting.report import render_report
    from training.reporting.report_folder import write_report
    from training.reporting.svg import picture

_MODULES = {
    "card": (
        "card_of",
        "render_card",
    ),
    "metric_names": ("METRICS",),
    "report": ("render_report",),
    "report_folder": ("write_report",),
    "svg": ("picture",),
}

__all__ = ["METRICS", "card_of", "picture", "render_card", "render_report", "write_report"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: charts take seconds."""
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"training.reporting.{module}"), name)
    message = f"module 'training.reporting' has no attribute {name!r}"
    raise AttributeError(message)
