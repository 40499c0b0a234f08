"""The picture of the sweep says what the sweep computes."""

from tests.bench.sweep_picture import PICTURE, told


def test_the_picture_says_what_the_sweep_computes():
    drawn = PICTURE.read_text(encoding="utf-8")
    assert [each["says"] for each in told() if str(each["says"]) not in drawn] == []


def test_what_is_known_late_counts_by_when_it_occurred():
    said = {each["day"]: each["says"] for each in told()}
    assert said[6] == "2 in 7 days · 2 ever · last 3.0 days ago"
