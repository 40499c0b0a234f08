"""The contract's three tables as Arrow schemas."""

from collections.abc import Mapping

import pyarrow as pa

from data.contract import AttributeType

INSTANT = pa.timestamp("us", tz="UTC")

ARROW_TYPES = {
    AttributeType.NUMERIC: pa.float64(),
    AttributeType.CATEGORY: pa.string(),
    AttributeType.BOOLEAN: pa.bool_(),
}

LEAD_COLUMNS = pa.schema(
    [
        pa.field("lead_id", pa.string(), nullable=False),
        pa.field("account_id", pa.string()),
        pa.field("created_at", INSTANT, nullable=False),
        pa.field("known_at", INSTANT, nullable=False),
    ]
)
"""A version of a lead; (lead_id, known_at) is unique. The playbook's attributes follow as columns."""

ACTIVITY_COLUMNS = pa.schema(
    [
        pa.field("activity_id", pa.string(), nullable=False),
        pa.field("lead_id", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("occurred_at", INSTANT, nullable=False),
        pa.field("known_at", INSTANT, nullable=False),
        pa.field("subject", pa.string()),
        pa.field("value", pa.float64()),
    ]
)
"""Something a lead did or that was done to it; ``activity_id`` is unique."""

OUTCOME_COLUMNS = pa.schema(
    [
        pa.field("outcome_id", pa.string(), nullable=False),
        pa.field("lead_id", pa.string(), nullable=False),
        pa.field("stage", pa.string(), nullable=False),
        pa.field("reached_at", INSTANT, nullable=False),
        pa.field("known_at", INSTANT, nullable=False),
        pa.field("amount", pa.float64()),
        pa.field("reason", pa.string()),
    ]
)
"""A lead reached a lifecycle stage; ``outcome_id`` is unique."""

CONTRACT = {"leads": LEAD_COLUMNS, "activities": ACTIVITY_COLUMNS, "outcomes": OUTCOME_COLUMNS}
"""The contract's tables."""


def lead_schema(attributes: Mapping[str, AttributeType]) -> pa.Schema:
    """
    Return the lead table's schema for a playbook's attributes.

    >>> lead_schema({"employees": AttributeType.NUMERIC}).names
    ['lead_id', 'account_id', 'created_at', 'known_at', 'employees']
    """
    extra = [pa.field(name, ARROW_TYPES[kind]) for name, kind in attributes.items()]
    return pa.schema([*LEAD_COLUMNS, *extra])
