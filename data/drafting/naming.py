"""Names of an export in one spelling, and as names and nouns of a playbook."""

import re
import unicodedata
from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase
from functools import lru_cache

_WRITTEN_OUT = str.maketrans(
    {"ß": "ss", "ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "#": " number "}
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_OTHER = re.compile(r"[^a-z0-9]+")
_PREFIX = re.compile(r"^(properties|property)_")
_PREFIX_SEEN = re.compile(r"^(properties[.]|property_|case:)")
_LONGEST_ABBREVIATION = 4
_CUSTOM = re.compile(r"_c$")


def snake(text: str) -> str:
    """
    Return a text in the letters that a playbook's names have.

    >>> [snake(name) for name in ("Lead ID", "ConvertedDate", "Größe", "Demo requested", "A_SUBMITTED|COMPLETE")]
    ['lead_id', 'converted_date', 'groesse', 'demo_requested', 'a_submitted_complete']
    """
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFC", text).translate(_WRITTEN_OUT))
    ascii_only = plain.encode("ascii", "ignore").decode()
    return _OTHER.sub("_", _CAMEL.sub("_", ascii_only.replace("IDs", "Ids")).lower()).strip("_")


@lru_cache(maxsize=10_000)
def normal(name: str) -> str:
    """
    Return a column's name in the spelling that shapes compare: without the prefixes and suffixes that connectors add.

    >>> [normal(name) for name in ("property_createdate", "properties.email", "Region__c", "Record ID")]
    ['createdate', 'email', 'region', 'record_id']
    """
    return _CUSTOM.sub("", _PREFIX.sub("", snake(name.removeprefix("case:"))))


def playbook_name(text: str, *, taken: Collection[str] = (), fallback: str = "column") -> str:
    """
    Return a name that a playbook accepts and that is not taken.

    >>> playbook_name("1st Source"), playbook_name("Region", taken={"region"}), playbook_name("名前")
    ('column_1st_source', 'region_2', 'column')
    """
    name = normal(text) or fallback
    name = name if name[0].isalpha() else f"{fallback}_{name}"
    number, free = 2, name
    while free in taken:
        number, free = number + 1, f"{name}_{number}"
    return free


def in_words(text: str) -> str:
    """
    Return a name as a noun in lower case; abbreviations in capitals stay.

    >>> in_words("Number of Employees"), in_words("converted_date"), in_words("SIC Code")
    ('number of employees', 'converted date', 'SIC code')
    """
    words = re.split(r"[^\w&+%]+|_+", _CUSTOM.sub("", _PREFIX_SEEN.sub("", text).removesuffix("__c")))
    return " ".join(
        word if word.isupper() and 1 < len(word) <= _LONGEST_ABBREVIATION else _CAMEL.sub(" ", word).lower()
        for word in words
        if word
    )


def matches(name: str, patterns: Iterable[str]) -> bool:
    """
    Test whether a name fits one of several patterns, in which ``*`` stands for anything.

    >>> matches("last_activity_date", ["last_*"]), matches("blast", ["last_*"])
    (True, False)
    """
    return any(fnmatchcase(name, pattern) if "*" in pattern else name == pattern for pattern in patterns)
