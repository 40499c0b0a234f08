"""Pictures: a chart as SVG that stands in a page, follows its colours, and loads nothing."""

import hashlib
import json
import re
from typing import Any

import vl_convert
from lxml import etree

from training.reporting.charts.frame import Chart
from training.reporting.palette import LIGHT

_VARIABLES = {colour: f"var(--{name}, {colour})" for name, colour in LIGHT.items()}
_CHATTER = ("class", "role", "pointer-events", "font-family", "stroke-miterlimit", "version")
_EMPTY_PATHS = ("", "M0,0h0v0h0Z")
_FRACTION = re.compile(r"-?\d+\.\d{2,}(?:e-?\d+)?")


def picture(chart: Chart) -> str:
    """
    Draw a chart as one SVG element.

    Its colours are custom properties of the page with the light ones as fallback; its text is text. The chart's title
    and description become the SVG's, for readers who cannot see it; the page sets the title above it, where it wraps.

    Args:
        chart: of this package.
    """
    spec = chart.to_dict(validate=False)
    title, about = _words(spec.pop("title", "")), str(spec.get("description", ""))
    drawn = vl_convert.vegalite_to_svg({**spec, "background": "transparent"}, allowed_base_urls=[])
    root = etree.fromstring(drawn.encode())
    _tidy(root)
    _colour(root)
    _name_apart(root, hashlib.sha256(json.dumps(spec).encode()).hexdigest()[:8])
    _entitle(root, title, about)
    return etree.tostring(root, encoding="unicode").replace(' xmlns:xlink="http://www.w3.org/1999/xlink"', "")


def words_of(chart: Chart) -> tuple[str, str]:
    """Return the title and the description of a chart."""
    spec = chart.to_dict(validate=False)
    return _words(spec.get("title", "")), str(spec.get("description", ""))


def _words(title: Any) -> str:
    text = title.get("text", "") if isinstance(title, dict) else title
    return " ".join(text) if isinstance(text, list) else str(text)


def _tidy(root: etree._Element) -> None:
    """Take out what draws nothing, and attributes that repeat on every mark what holds for the whole."""
    for element in list(root.iter()):
        parent = element.getparent()
        if parent is not None and _unseen(element, parent):
            parent.remove(element)
            continue
        for name in list(element.attrib):
            if name in _CHATTER or str(name).startswith("aria-") or (name, element.get(name)) == ("opacity", "1"):
                del element.attrib[name]
            else:
                element.set(name, _FRACTION.sub(_rounded, str(element.get(name))))
    _unwrap(root)


def _unseen(element: etree._Element, parent: etree._Element) -> bool:
    """Whether an element draws nothing: what has no colour of its own inherits none."""
    if element.get("display") == "none" or element.get("d") in _EMPTY_PATHS:
        return True
    drawn = element.get("fill") or element.get("stroke")
    return etree.QName(element).localname == "path" and not drawn and etree.QName(parent).localname != "clipPath"


def _unwrap(root: etree._Element) -> None:
    """Replace groups without attributes by their content."""
    for group in list(root.iter("{*}g")):
        parent = group.getparent()
        if parent is not None and not group.attrib:
            index = parent.index(group)
            parent[index : index + 1] = list(group)


def _rounded(fraction: re.Match[str]) -> str:
    return f"{float(fraction.group()):.2f}".rstrip("0").rstrip(".")


def _colour(root: etree._Element) -> None:
    for element in root.iter():
        for name in ("fill", "stroke"):
            if (colour := element.get(name)) in _VARIABLES:
                element.set(name, _VARIABLES[str(colour)])


def _name_apart(root: etree._Element, key: str) -> None:
    """
    Make ids unique to this picture: a page holds many.

    Vega counts its ids through all charts that a process ever drew; named by their place here they are always the same.
    """
    named = [element for element in root.iter() if "id" in element.attrib]
    names = {str(element.get("id")): f"{key}-{index}" for index, element in enumerate(named)}
    for element in named:
        element.set("id", names[str(element.get("id"))])
    for element in root.iter():
        if (clip := element.get("clip-path")) is not None:
            element.set("clip-path", f"url(#{names[clip.removeprefix('url(#').removesuffix(')')]})")


def _entitle(root: etree._Element, title: str, about: str) -> None:
    root.set("role", "img")
    root.set("style", f"max-width:{root.get('width')}px")
    del root.attrib["width"], root.attrib["height"]
    root.set("aria-label", f"{title}. {about}".strip(". "))
    space = "{http://www.w3.org/2000/svg}"
    for index, (tag, text) in enumerate((("title", title), ("desc", about))):
        element = etree.Element(f"{space}{tag}")
        element.text = text
        root.insert(index, element)
