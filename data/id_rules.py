"""How ids compare: SQL that brings an id into the form of the playbook's rule, and tests that find damaged ones."""

from data.sql import listed

_BLANKS = r"[\s\x{A0}\x{2000}-\x{200B}\x{202F}\x{2060}\x{3000}\x{FEFF}]+"
_CHECK_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SALESFORCE = "[A-Za-z0-9]{15}([A-Za-z0-9]{3})?"
_ROUNDED = r"[+-]?\d([.,]\d+)?[eE][+]\d{2,}"

NO_ID = ("null", "n/a", "na", "none", "nil", "-", "(not set)", "000000000000000aaa", "000000000000000")
"""What stands in a cell that holds no id, in small letters."""

LOOSER = ("trim", "casefold", "email", "salesforce")
"""The rules by which ids that differ may be the same, from the strictest."""


def id_macros() -> list[str]:
    """
    Return the SQL macros of the rules: ``id_exact`` leaves an id as it stands, the others bring it into one form.

    Source: the checksum of ids with 18 characters is Salesforce's. Of each five characters, the capitals are the bits
    of a number that picks one of 32 signs.
    """
    bare = f"regexp_replace(t, '^{_BLANKS}|{_BLANKS}$', '', 'g')"
    address = r"regexp_replace(regexp_replace(t, '^.*<\s*([^<>]*)\s*>$', '\1'), '^mailto:([^?]*).*$', '\1')"
    bits = " + ".join(f"{2**bit} * (substr(t, {bit + 1}, 1) BETWEEN 'A' AND 'Z')::INTEGER" for bit in range(5))
    signs = " || ".join(f"check_sign(substr(t, {first}, 5))" for first in (1, 6, 11))
    return [
        "id_exact(t) AS t",
        f"id_trim(t) AS {bare}",
        "id_casefold(t) AS replace(lower(id_trim(t)), 'ß', 'ss')",
        f"id_address(t) AS {address}",
        "id_email(t) AS id_trim(id_address(lower(id_trim(t))))",
        f"check_sign(t) AS substr('{_CHECK_LETTERS}', 1 + {bits}, 1)",
        f"check_signs(t) AS {signs}",
        f"is_salesforce(t) AS regexp_full_match(t, '{_SALESFORCE}')",
        "long_form(t) AS CASE WHEN is_salesforce(t) THEN left(t, 15) || check_signs(t) ELSE t END",
        "wrong_check(t) AS length(t) = 18 AND is_salesforce(t) AND upper(right(t, 3)) <> check_signs(t)",
        "id_salesforce(t) AS CASE WHEN wrong_check(id_trim(t)) THEN id_trim(t) ELSE long_form(id_trim(t)) END",
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
