"""Metrics, intervals and sampling: numbers computed from arrays, whatever they are about."""
