"""What can be wrong with a row, in words, and what to do about it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that can be wrong with a row; ``{about}`` stands for the column it is about."""

    says: str
    mend: str


FAULTS = {
    "missing": Fault("{about} is empty", "fill it in the export, or map another column to it."),
    "unreadable": Fault(
        "{about} is not an instant",
        "write ISO 8601 such as 2026-03-01T12:00:00Z or 2026-03-01, or say its date_format in playbook.yaml.",
    ),
    "placeholder": Fault(
        "{about} is what systems write where there is no instant, such as 1970-01-01",
        "leave the cell empty, or list what it holds under empty in playbook.yaml.",
    ),
    "rounded": Fault(
        "{about} was rounded by a spreadsheet, such as 1.23457E+11, so that different ids look alike",
        "export the ids again and open the file in no spreadsheet, or format the column as text.",
    ),
    "wrong_checksum": Fault(
        "{about} has 18 characters whose last three are not the checksum of the others",
        "export the ids again: letter case was changed, or characters were.",
    ),
    "future": Fault("{about} is in the future", "check timezone in playbook.yaml and the source system's clock."),
    "known_before": Fault("it was known before it happened", "check which columns are mapped to the two instants."),
    "not_a_number": Fault(
        "{about} is not a number",
        "write plain numbers, or say decimal, thousands, percent or currency_signs in playbook.yaml.",
    ),
    "unknown_currency": Fault(
        "{about} is not a code of three letters, such as EUR",
        "write the codes of ISO 4217, or map another column to it.",
    ),
    "unknown_value": Fault("{about} has a value that is not in the playbook", "add it to the attribute's values."),
    "unknown_attribute": Fault(
        "the changed attribute is not in the playbook",
        "map it in the source's attributes, list it under ignore, or say ignore: others.",
    ),
    "unknown_kind": Fault(
        "the kind is not in the playbook",
        "map it in the source's kinds, add it to activities, or list it under ignore (ignore: others for all such).",
    ),
    "unknown_stage": Fault(
        "the stage is not in the playbook",
        "map it in the source, add it to stages, or list it under ignore (ignore: others for all such).",
    ),
    "unexpected_subject": Fault(
        "a subject on a kind that carries none",
        "set subject: true for the kind in playbook.yaml, or remove the mapping.",
    ),
    "unknown_subject": Fault(
        "the kind lists its subjects in the playbook, and this is none of them",
        "add it to the kind's subjects, or set subject: true for the kind.",
    ),
    "unexpected_value": Fault(
        "a value on a kind that carries none", "set value: <unit> for the kind in playbook.yaml, or remove the mapping."
    ),
    "repeated": Fault("the same {about} occurs earlier with the same content", "the earliest is kept; nothing to do."),
    "contradicting": Fault(
        "the same {about} occurs earlier with other content", "the earliest is kept; give each row its own id."
    ),
    "orphan": Fault("there is no such lead", "export the lead too, or leave the row out of the export."),
    "lead_rejected": Fault("its lead was rejected", "fix the lead, whose own row was rejected too."),
    "before_creation": Fault(
        "reached before the lead was created", "check timezone, and which columns are mapped to the two instants."
    ),
    "broken_line": Fault(
        "the line cannot be read", "mend its delimiters and quotes, or say the file's encoding in playbook.yaml."
    ),
}
"""Rule → its words. A row's fault is written ``rule:column``."""


def describe_fault(fault: str) -> str:
    """
    Return a fault in words.

    >>> describe_fault("unreadable:occurred_at")
    'occurred_at is not an instant'
    """
    rule, about = split_fault(fault)
    return FAULTS[rule].says.format(about=about)


def split_fault(fault: str) -> tuple[str, str]:
    """
    Split a fault into its rule and the column it is about.

    >>> split_fault("missing:lead_id")
    ('missing', 'lead_id')
    """
    rule, _, about = fault.partition(":")
    return rule, about
