"""Estimate: a number with its 95 % interval, as every document, table and chart of training holds it."""

import math
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict


def _finite(number: object) -> object:
    """Turn NaN and infinity, which JSON cannot hold, into None."""
    return None if isinstance(number, float) and not math.isfinite(number) else number


Number = Annotated[float | None, BeforeValidator(_finite)]
"""A finite number, or None where there is none; NaN and infinity are read as None."""


class EvaluationPart(BaseModel):
    """A frozen part of an evaluation: unknown fields are refused, and every number is finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, from_attributes=True)


class Estimate(EvaluationPart):
    """
    A number with its 95 % interval; each of the three is None where there is no such number.

    >>> Estimate(value=0.7, low=0.63, high=float("inf"))
    Estimate(value=0.7, low=0.63, high=None)
    """

    value: Number
    low: Number
    high: Number

    @property
    def sign(self) -> Literal[-1, 0, 1]:
        """Return the side of 0 on which the whole interval lies; 0 where it holds 0 or is not known."""
        if self.low is not None and self.low > 0:
            return 1
        if self.high is not None and self.high < 0:
            return -1
        return 0


NO_ESTIMATE = Estimate(value=None, low=None, high=None)


class CalibrationError(EvaluationPart):
    """The mean distance of chance and outcome, and what a perfect scorer stays below 95 times in 100."""

    value: Number
    noise_95: Number
