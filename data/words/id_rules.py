"""
How ids compare: the form into which the playbook's rule brings an id that comes over the API or the command line.

Ids in files are brought into the same form by SQL (`data.reading.id_cells`).
"""

import re
import unicodedata
from dataclasses import dataclass

from data.words.writing import IdRule

CHECK_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SQL_BLANKS = "\t\n\f\r "
_BLANK_SIGNS = _SQL_BLANKS + "\u00a0\u202f\u2060\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200C)))
SALESFORCE = "[A-Za-z0-9]{15}([A-Za-z0-9]{3})?"
SHORT, LONG, BLOCK = 15, 18, 5

NO_ID = ("null", "n/a", "na", "none", "nil", "-", "(not set)", "000000000000000aaa", "000000000000000")
"""What stands in a cell that holds no id, in small letters."""

LOOSER = ("trim", "casefold", "email", "salesforce")
"""The rules by which ids that differ may be the same, from the strictest."""


@dataclass(frozen=True, slots=True)
class IdForms:
    """The rules by which a playbook compares ids: those of leads, and those of accounts."""

    leads: IdRule = "exact"
    accounts: IdRule = "exact"


def composed(text: str) -> str:
    """
    Return text in Unicode's form NFC, so that an é has one spelling, and a lead one id.

    >>> composed("e\u0301") == "\u00e9"
    True
    """
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def in_form(text: str, rule: IdRule) -> str | None:
    """
    Return an id in the form of a rule and of Unicode's NFC; None for a word for none.

    `data.reading.id_cells.in_one_form` does the same in SQL.

    >>> in_form(" ANN@Example.com", "casefold"), in_form("Ann <ann@x.org>", "email"), in_form("n/a", "exact")
    ('ann@example.com', 'ann@x.org', None)
    >>> in_form("001D000000IqhSL", "salesforce")
    '001D000000IqhSLIAZ'
    """
    if _lower(text) in NO_ID:
        return None
    nfc = composed(text)
    match rule:
        case "exact":
            return nfc or None
        case "trim":
            return _trimmed(nfc) or None
        case "casefold":
            return _lower(_trimmed(nfc)).replace("ß", "ss") or None
        case "email":
            return _trimmed(_address(_lower(_trimmed(nfc)))) or None
        case "salesforce":
            return _long_form(_trimmed(nfc)) or None


def has_wrong_checksum(text: str, rule: IdRule) -> bool:
    """
    Return whether an id of Salesforce has 18 characters whose last three do not fit the others.

    >>> has_wrong_checksum("001D000000IqhSLIAZ", "salesforce"), has_wrong_checksum("001D000000IQHSLIAZ", "salesforce")
    (False, True)
    """
    bare = _trimmed(text)
    is_long = len(bare) == LONG and re.fullmatch(SALESFORCE, bare) is not None
    return rule == "salesforce" and is_long and bare[SHORT:].upper() != _check_signs(bare)


def _trimmed(text: str) -> str:
    return text.strip(_BLANK_SIGNS)


def _lower(text: str) -> str:
    """Return text in small letters, each for itself, as SQL has them: Python's own look at a sigma's neighbours."""
    return text.lower() if text.isascii() else "".join("i" if sign == "İ" else sign.lower() for sign in text)


def _address(text: str) -> str:
    """Return the address in a text in small letters: what angle brackets at its end hold, or what follows mailto."""
    named, bracket, inside = text.rpartition("<")
    if bracket and inside.find(">") == len(inside) - 1 >= 0 and "\n" not in named:
        text = inside[:-1].lstrip(_SQL_BLANKS)
    head, mark, tail = text.partition("?")
    return head.removeprefix("mailto:") if text.startswith("mailto:") and "\n" not in mark + tail else text


def _long_form(text: str) -> str:
    if re.fullmatch(SALESFORCE, text) is None or has_wrong_checksum(text, "salesforce"):
        return text
    return text[:SHORT] + _check_signs(text)


def _check_signs(text: str) -> str:
    blocks = (text[first : first + BLOCK] for first in range(0, SHORT, BLOCK))
    return "".join(
        CHECK_LETTERS[sum(1 << bit for bit, sign in enumerate(each) if "A" <= sign <= "Z")] for each in blocks
    )
