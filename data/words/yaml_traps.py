"""What YAML 1.1 reads otherwise than it looks: NO as false, 012 as ten, 12:30 as 750, 1e3 as text."""

import re

import yaml
from yaml.constructor import SafeConstructor

_TAG = "tag:yaml.org,2002:"
_PLAIN_NUMBER = re.compile(
    r"[-+]?(0|[1-9][0-9]*)([.][0-9]*)?([eE][-+]?[0-9]+)?|[-+]?[.]([0-9]+|inf|nan)", re.IGNORECASE
)
_EXPONENT = re.compile(r"[-+]?[0-9]+([.][0-9]*)?[eE][-+]?[0-9]+")


def trap(node: yaml.Node) -> str | None:
    """
    Return what is wrong with a value that YAML reads otherwise than it looks, or nothing.

    >>> trap(yaml.compose("NO"))
    'YAML reads NO as false: put it in quotes if it is text, or write true or false.'
    >>> trap(yaml.compose("012"))
    'YAML reads 012 as 10: put it in quotes if it is text, or write the number without a zero before it.'
    >>> trap(yaml.compose("'NO'")), trap(yaml.compose("false")), trap(yaml.compose("0.5"))
    (None, None, None)
    """
    if not isinstance(node, yaml.ScalarNode) or node.style:
        return None
    text, kind, value = node.value, node.tag.removeprefix(_TAG), _read(node)
    if kind == "bool" and text.lower() not in {"true", "false"}:
        return f"YAML reads {text} as {value}: put it in quotes if it is text, or write true or false."
    if kind in {"int", "float"} and value is not None and not _PLAIN_NUMBER.fullmatch(text):
        how = "without a zero before it" if text.lstrip("+-").startswith("0") else "in plain digits"
        return f"YAML reads {text} as {value}: put it in quotes if it is text, or write the number {how}."
    if kind == "str" and _EXPONENT.fullmatch(text):
        return f"YAML reads {text} as text: put it in quotes if it is text, or write {float(text):.15g}."
    return None


def _read(node: yaml.ScalarNode) -> str | None:
    try:
        value = SafeConstructor().construct_object(node)
    except (yaml.YAMLError, ValueError):
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
