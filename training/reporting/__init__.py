"""The report, its charts and the model card: pure functions of what a training found."""

from training.reporting.card import card_of, render_card
from training.reporting.metric_names import METRICS
from training.reporting.report import render_report
from training.reporting.report_folder import write_report
from training.reporting.svg import picture

__all__ = ["METRICS", "card_of", "picture", "render_card", "render_report", "write_report"]
