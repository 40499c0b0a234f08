"""The form of ids in files, and the tests that find damaged ones, as SQL; `data.words.id_rules` has it in Python."""

from data.sql import listed
from data.words.id_rules import BLOCK, CHECK_LETTERS, NO_ID, SALESFORCE, SHORT

_BLANKS = r"[\s\x{A0}\x{2000}-\x{200B}\x{202F}\x{2060}\x{3000}\x{FEFF}]+"
_SMALL_BITS = 0x0101010101
_ROUNDED = r"[+-]?\d([.,]\d+)?[eE][+]\d{2,}"


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
    signs = " || ".join(f"check_sign(substr(t, {first}, {BLOCK}))" for first in range(1, SHORT, BLOCK))
    fits = "is_salesforce(t) AND upper(substr(t, 16)) IN ('', check_signs(t))"
    return [
        "id_exact(t) AS t",
        f"id_trim(t) AS regexp_replace(t, '^{_BLANKS}|{_BLANKS}$', '', 'g')",
        "id_casefold(t) AS replace(lower(id_trim(t)), 'ß', 'ss')",
        f"id_address(t) AS {address}",
        "id_email(t) AS id_trim(id_address(lower(id_trim(t))))",
        f"check_sign(block) AS substr('{CHECK_LETTERS[::-1]}', {place}, 1)",
        f"check_signs(t) AS {signs}",
        f"is_salesforce(t) AS regexp_full_match(t, '{SALESFORCE}')",
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


def id_checks(name: str, rule: str) -> list[tuple[str, str]]:
    """
    Return the checks of an id that was read: whether a spreadsheet rounded it, and its checksum if it has one.

    >>> [code for _, code in id_checks("lead_id", "salesforce")]
    ['rounded:lead_id', 'wrong_checksum:lead_id']
    """
    checks = [(f"regexp_full_match({name}, '{_ROUNDED}')", f"rounded:{name}")]
    return [*checks, (f"wrong_check({name})", f"wrong_checksum:{name}")] if rule == "salesforce" else checks
