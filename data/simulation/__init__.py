"""A B2B company that never was: leads whose true chance of converting is known."""

from data.simulation.simulation import SimulationCounts, simulate

__all__ = ["SimulationCounts", "simulate"]
