"""The date in a file's name: one, of the said form, or none."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import IntakeError
from data.importing.name_dates import date_in_name, require_name_format

FORMATS = st.sampled_from(["%Y-%m-%d", "%Y%m%d", "%d.%m.%Y", "%Y_%m", "%m-%Y"])


@pytest.mark.parametrize(
    ("name", "given_format", "expected"),
    [
        ("leads_2024-02-29.csv", "%Y-%m-%d", date(2024, 2, 29)),
        ("20240229T0300_leads.csv.gz", "%Y%m%d", date(2024, 2, 29)),
        ("leads 2023-02.csv", "%Y-%m", date(2023, 2, 28)),
        ("2024-01-31 leads 2024-01-31.csv", "%Y-%m-%d", date(2024, 1, 31)),
        ("leads_2024-01-31_99999999.csv", "%Y-%m-%d", date(2024, 1, 31)),
    ],
)
def test_a_date_is_found_wherever_it_stands(name, given_format, expected):
    assert date_in_name(name, given_format) == expected


@pytest.mark.parametrize("name", ["leads.csv", "leads_20240131120000.csv", "leads_20241301.csv", "leads_2024013.csv"])
def test_digits_of_a_longer_number_are_no_date(name):
    with pytest.raises(IntakeError, match=r"has no date in its name such as 20240131"):
        date_in_name(name, "%Y%m%d")


@pytest.mark.parametrize("wrong", ["", "%Y", "%m-%d", "%Y-%m-%m", "%Y-%m-%d %H", "%Y%", "leads"])
def test_only_formats_of_a_day_or_a_month_are_accepted(wrong):
    with pytest.raises(ValueError, match="is not the format of a date in a name"):
        require_name_format(wrong)


@given(day=st.dates(date(1900, 1, 1), date(2099, 12, 31)), said=FORMATS, around=st.text("ab_ ", max_size=4))
def test_what_was_written_is_read(day, said, around):
    """A day is read as it is, a month as its last day, whatever letters stand around it."""
    found = date_in_name(f"{around}{day.strftime(said)}{around}.csv", require_name_format(said))
    if "%d" in said:
        assert found == day
    else:
        assert (found.year, found.month) == (day.year, day.month)
        assert (found.toordinal() + 1) == date(day.year + day.month // 12, day.month % 12 + 1, 1).toordinal()
