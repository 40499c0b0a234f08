"""Checks that a training must pass: against leakage, and on its probabilities."""
