"""A picture follows the colours of its page, tells what it shows, and loads nothing."""

import re

import altair as alt
import pytest
from lxml import etree

from tests.training.reporting.sample import evaluation
from training.reporting.charts import gain_chart, reasons_chart, reliability_chart, scorers_chart
from training.reporting.palette import LIGHT
from training.reporting.svg import picture

DRAWN = {
    "dots": lambda: scorers_chart(evaluation().scorers),
    "lines": lambda: gain_chart(evaluation().curves.gain),
    "bars": lambda: reasons_chart(evaluation().reasons),
    "bands": lambda: reliability_chart(evaluation().curves.reliability),
}


@pytest.fixture(scope="module")
def pictures():
    return {name: picture(draw()) for name, draw in DRAWN.items()}


@pytest.mark.parametrize("name", DRAWN)
def test_every_colour_is_one_of_the_page_with_the_light_one_to_fall_back_on(pictures, name):
    """A colour of its own would vanish in the dark."""
    found = re.findall(r'(?:fill|stroke)="([^"]*)"', pictures[name])
    ours = {f"var(--{name}, {colour})" for name, colour in LIGHT.items()}
    assert {colour for colour in found if colour not in {"none", "transparent"}} <= ours
    assert "#" not in re.sub(r"var\(--[a-z]+, #[0-9a-f]{6}\)|url\(#", "", pictures[name])


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_is_one_image_with_a_name_to_a_screen_reader(pictures, name):
    root = etree.fromstring(pictures[name])
    title = root.find("{*}title").text
    assert root.get("role") == "img"
    assert root.get("aria-label").startswith(title)
    assert not [element for element in root.iter() if element is not root and "aria-label" in element.attrib]


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_loads_nothing_and_runs_nothing(pictures, name):
    root = etree.fromstring(pictures[name])
    assert {etree.QName(element).localname for element in root.iter()} <= {
        *("svg", "g", "path", "line", "rect", "text", "tspan", "title", "desc", "defs", "clipPath")
    }
    assert not [one for element in root.iter() for one in element.attrib if "href" in one or one.startswith("on")]


@pytest.mark.parametrize("name", DRAWN)
def test_words_are_text_and_not_outlines(pictures, name):
    words = [element.text for element in etree.fromstring(pictures[name]).iter("{*}text")]
    assert len(words) > 5


def test_names_of_scorers_are_text_whatever_they_hold():
    model, rules = evaluation().scorers[:2]
    rules = rules.model_copy(update={"name": '<script>alert(1)</script> & "co"'})
    drawn = picture(scorers_chart([model, rules]))
    assert "<script" not in drawn
    assert "&lt;script&gt;" in drawn


def test_pictures_of_one_page_share_no_ids():
    """A clip of another size, or one that is hidden, would cut off the wrong parts."""
    base = alt.Chart(alt.InlineData(values=[{"x": 0, "y": 0}, {"x": 9, "y": 9}])).encode(x="x:Q", y="y:Q")
    clipped, other = (base.mark_line(clip=True).properties(width=width) for width in (200, 300))
    ids = [re.findall(r' id="([^"]+)"', picture(one)) for one in (clipped, other)]
    assert all(ids)
    assert set(ids[0]).isdisjoint(ids[1])
    assert set(re.findall(r"url\(#([^)]+)\)", picture(clipped))) == set(ids[0])
    assert picture(clipped) == picture(clipped)
