"""The contract's tables as Arrow schemas."""

from data.arrow_schemas import ACTIVITY_COLUMNS, LEAD_COLUMNS, OUTCOME_COLUMNS
from data.contract import RESERVED


def test_every_column_of_a_table_is_a_name_that_no_attribute_may_have():
    assert {*LEAD_COLUMNS.names, *ACTIVITY_COLUMNS.names, *OUTCOME_COLUMNS.names, "as_of"} == RESERVED
