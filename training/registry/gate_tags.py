"""The gates of a training as MLflow's tags, which begin with how they ended."""

from collections.abc import Iterable

from training.gates.gate import GateResult, GateState

_OUTCOMES: dict[GateState, str] = {
    "passed": "pass",
    "not contradicted (too few successes to tell)": "pass, but too few successes to tell",
    "passed, with a question": "pass, with a question",
    "failed": "fail",
    "failed, accepted": "fail, accepted",
}


def gate_tags(gates: Iterable[GateResult]) -> dict[str, str]:
    """
    Return a tag for each gate: whether it passed, its figures where it compares two, and its finding.

    >>> gate = GateResult(
    ...     name="calibration error", passed=True, says="Off by 0.012.", numbers={"error": 0.012, "limit": 0.03}
    ... )
    >>> gate_tags([gate])
    {'gate.calibration_error': 'pass: 0.012 ≤ 0.030. Off by 0.012.'}
    """
    return {
        f"gate.{gate.name.replace(' ', '_')}": f"{_OUTCOMES[gate.state]}: {_figures(gate)}{gate.says}" for gate in gates
    }


def _figures(gate: GateResult) -> str:
    """Return the error beside what it may be; empty where the gate compares otherwise."""
    error, limit = gate.numbers.get("error"), gate.numbers.get("limit")
    if error is None or limit is None:
        return ""
    return f"{error:.3f} {'≤' if error <= limit else '>'} {limit:.3f}. "
