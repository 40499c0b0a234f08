"""
How ids compare: the form into which the playbook's rule brings an id, and tests that find damaged ones.

Files are read by SQL, and what comes one by one, over the API and on the command line, by Python: both give one form.
"""

import re
import unicodedata
from dataclasses import dataclass

from data.sql import listed
from data.words.writing import IdRule

_BLANKS = r"[\s\x{A0}\x{2000}-\x{200B}\x{202F}\x{2060}\x{3000}\x{FEFF}]+"
_CHECK_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SMALL_BITS = 0x0101010101
_SQL_BLANKS = "\t\n\f\r "
_BLANK_SIGNS = _SQL_BLANKS + "\u00a0\u202f\u2060\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200C)))
_SALESFORCE = "[A-Za-z0-9]{15}([A-Za-z0-9]{3})?"
_SHORT, _LONG, _BLOCK = 15, 18, 5
_ROUNDED = r"[+-]?\d([.,]\d+)?[eE][+]\d{2,}"

NO_ID = ("null", "n/a", "na", "none", "nil", "-", "(not set)", "000000000000000aaa", "000000000000000")
"""What stands in a cell that holds no id, in small letters."""

LOOSER = ("trim", "casefold", "email", "salesforce")
"""The rules by which ids that differ may be the same, from the strictest."""


def id_macros() -> list[str]:
    """
    Return the SQL macros of the rules: ``id_exact`` leaves an id as it stands, the others bring it into one form.

    A macro is written out wherever it is used, with all of its argument wherever that stands in it; so they name it as
    seldom as they can, or a query of a few ids takes seconds to plan.

    Source: the checksum of ids with 18 characters is Salesforce's. Of each five characters, the capitals are the bits
    of a number that picks one of 32 signs. In ASCII, small letters and digits have the bit 32, and capitals do not.
    """
    address = r"regexp_replace(regexp_replace(t, '^.*<\s*([^<>]*)\s*>$', '\1'), '^mailto:([^?]*).*$', '\1')"
    block = "TRY_CAST(TRY_CAST(encode(block) AS BIT) AS BIGINT)"
    place = f"1 + (({block} >> 5) & {_SMALL_BITS}) * 16 % 511"  # 2 ** 9 % 511 is 1: it brings the bits side by side
    signs = " || ".join(f"check_sign(substr(t, {first}, {_BLOCK}))" for first in range(1, _SHORT, _BLOCK))
    fits = "is_salesforce(t) AND upper(substr(t, 16)) IN ('', check_signs(t))"
    return [
        "id_exact(t) AS t",
        f"id_trim(t) AS regexp_replace(t, '^{_BLANKS}|{_BLANKS}$', '', 'g')",
        "id_casefold(t) AS replace(lower(id_trim(t)), 'ß', 'ss')",
        f"id_address(t) AS {address}",
        "id_email(t) AS id_trim(id_address(lower(id_trim(t))))",
        f"check_sign(block) AS substr('{_CHECK_LETTERS[::-1]}', {place}, 1)",
        f"check_signs(t) AS {signs}",
        f"is_salesforce(t) AS regexp_full_match(t, '{_SALESFORCE}')",
        "wrong_check(t) AS length(t) = 18 AND is_salesforce(t) AND upper(right(t, 3)) <> check_signs(t)",
        f"long_form(t) AS CASE WHEN {fits} THEN left(t, 15) || check_signs(t) ELSE t END",
        "id_salesforce(t) AS list_transform([id_trim(t)], lambda bare: long_form(bare))[1]",
    ]


def in_one_form(text: str, rule: str) -> str:
    """
    Return the SQL of an id in the form of a rule and of Unicode's NFC; a word for none is NULL.

    >>> in_one_form("t", "casefold").startswith("CASE WHEN lower(t) NOT IN ('null', ")
    True
    """
    return f"CASE WHEN lower({text}) NOT IN {listed(NO_ID)} THEN nullif(id_{rule}(nfc_normalize({text})), '') END"


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
    Return an id in the form of a rule and of Unicode's NFC, as `in_one_form` does in SQL; None for a word for none.

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
    is_long = len(bare) == _LONG and re.fullmatch(_SALESFORCE, bare) is not None
    return rule == "salesforce" and is_long and bare[_SHORT:].upper() != _check_signs(bare)


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
    if re.fullmatch(_SALESFORCE, text) is None or has_wrong_checksum(text, "salesforce"):
        return text
    return text[:_SHORT] + _check_signs(text)


def _check_signs(text: str) -> str:
    blocks = (text[first : first + _BLOCK] for first in range(0, _SHORT, _BLOCK))
    return "".join(
        _CHECK_LETTERS[sum(1 << bit for bit, sign in enumerate(each) if "A" <= sign <= "Z")] for each in blocks
    )


def id_checks(name: str, rule: str) -> list[tuple[str, str]]:
    """
    Return the checks of an id that was read: whether a spreadsheet rounded it, and its checksum if it has one.

    >>> [code for _, code in id_checks("lead_id", "salesforce")]
    ['rounded:lead_id', 'wrong_checksum:lead_id']
    """
    checks = [(f"regexp_full_match({name}, '{_ROUNDED}')", f"rounded:{name}")]
    return [*checks, (f"wrong_check({name})", f"wrong_checksum:{name}")] if rule == "salesforce" else checks
