"""Checks that a training must pass: against leakage, on its probabilities, and against the point rules."""
