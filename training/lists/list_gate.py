"""Gate of the lists: of everybody open on a morning of the test weeks, as many succeed as the list promised."""

from collections.abc import Sequence

from scipy.stats import norm

from training.gates.calibration_gates import LEAST, MOST, VISIBLE
from training.gates.gate import GateResult
from training.lists.list_evaluation import LEVEL, ListGroup, ListTest

LEAST_OF_SOME, MOST_OF_SOME = 0.75, 1.33
"""Where it may lie for leads of one silence, age or grade."""

LOOKED_AT = ("days of silence", "age in days", "grade")
"""Leads told apart by these decide; segments are shown only, as there may be any number of them."""

_REMEDY = "train again with later weeks, or bring a longer history"


def list_gate(found: ListTest) -> GateResult:
    """
    Fail where the lists promised too much or too little, as far as the test can tell: in all, or for one kind of lead.

    That is where the whole range that chance allows around what came lies outside of what is allowed. Of kinds of leads
    there are many, and one in twenty would be beyond chance by chance alone: for these the range is widened so that all
    of them together are within it 95 times in 100 (Bonferroni). A kind of which history cannot speak is shown and does
    not decide.
    """
    some = [group for group in found.groups if group.by in LOOKED_AT and group.known]
    wrong = [found.whole] if _is_off(found.whole, among=1, allowed=(LEAST, MOST)) else []
    wrong += [group for group in some if _is_off(group, among=len(some), allowed=(LEAST_OF_SOME, MOST_OF_SOME))]
    whole = found.whole
    named = "".join(f"; {_worded(group)}" for group in wrong if group.by != "all leads")
    return GateResult(
        name="lists of the test weeks",
        passed=not wrong,
        conclusive=bool(wrong) or whole.high - whole.promised <= VISIBLE * whole.promised,
        says=f"{found.says}{named}{f': {_REMEDY}' if wrong else ''}.",
        numbers={"promised": whole.promised, "came": whole.came, "low": whole.low, "high": whole.high},
    )


def _is_off(group: ListGroup, *, among: int, allowed: Sequence[float]) -> bool:
    """Return whether all that chance allows around what came, of so many comparisons, is beyond what is allowed."""
    wider = float(norm.ppf(1 - (1 - LEVEL) / (2 * among)) / norm.ppf((1 + LEVEL) / 2))
    reach = wider * (group.high - group.promised)
    least, most = (share * group.promised for share in allowed)
    return group.came + reach < least or group.came - reach > most


def _worded(group: ListGroup) -> str:
    """
    Describe leads of one kind.

    >>> numbers = {"leads": 9, "promised": 6.35, "came": 3.2, "low": 4.1, "high": 8.6, "known": True}
    >>> _worded(ListGroup(by="days of silence", says="90 to 180", **numbers))
    'of leads with 90 to 180 days of silence 6.3 were promised and 3.2 came'
    """
    kind = {
        "days of silence": f"of leads with {group.says} days of silence",
        "age in days": f"of leads {group.says} days old",
        "grade": f"of leads with grade {group.says}",
    }[group.by]
    return f"{kind} {group.promised:,.1f} were promised and {group.came:,.1f} came"
