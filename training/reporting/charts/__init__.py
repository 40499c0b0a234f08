"""Charts of an evaluation, each from the part that it shows; in a notebook as they are, in a page as pictures."""

from training.reporting.charts.capacity import against_chart, conversions_chart
from training.reporting.charts.frame import NARROW, WIDE, Chart
from training.reporting.charts.leads import reasons_chart, segments_chart
from training.reporting.charts.periods import horizon_chart, origins_chart, plan_chart
from training.reporting.charts.probabilities import gain_chart, lift_chart, reliability_chart, scorers_chart

__all__ = [
    "NARROW",
    "WIDE",
    "Chart",
    "against_chart",
    "conversions_chart",
    "gain_chart",
    "horizon_chart",
    "lift_chart",
    "origins_chart",
    "plan_chart",
    "reasons_chart",
    "reliability_chart",
    "scorers_chart",
    "segments_chart",
]
