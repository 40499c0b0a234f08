"""Facts with more mistakes than anyone could read are refused before the mistakes are described."""

import tracemalloc

import pytest

from serving.errors import InvalidError
from serving.facts import ActivityFact, LeadFact, Preview, read_as

A_MEGABYTE = 2**20
UNKNOWN = {f"n{number}": 0 for number in range(99_000)}
FIRST_FIVE = "unknown field n0; unknown field n1; unknown field n2; unknown field n3; unknown field n4"
WITHOUT_END = {
    "unknown fields": (ActivityFact, UNKNOWN, f"{FIRST_FIVE}; and 98,995 more."),
    "unknown fields inside": (Preview, {"lead": UNKNOWN}, f"lead: {FIRST_FIVE}; and 98,995 more."),
    "wrong activities": (
        Preview,
        {"lead": {"lead_id": "L-1"}, "activities": [{"a": 0}] * 1000},
        "activities.0.kind: is missing; activities.0.occurred_at: is missing; activities.0: unknown field a.",
    ),
    "unknown attributes": (LeadFact, {"lead_id": "L-1", "attributes": UNKNOWN}, "attributes: expected at most 1,000"),
    "empty activities": (
        Preview,
        {"lead": {"lead_id": "L-1"}, "activities": [{}] * 19_000},
        "activities: expected at most 1,000",
    ),
}


@pytest.mark.parametrize("name", WITHOUT_END)
def test_mistakes_without_end_are_not_described_one_by_one(name):
    """Each description takes some 700 bytes and ten microseconds, in one call during which nobody is answered."""
    model, value, says = WITHOUT_END[name]
    tracemalloc.start()
    try:
        with pytest.raises(InvalidError) as refused:
            read_as(model, value)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert str(refused.value).startswith(says)
    assert peak < A_MEGABYTE
