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
        "write ISO 8601 such as 2026-03-01T12:00:00Z or 2026-03-01, or seconds since 1970.",
    ),
    "future": Fault("{about} lies in the future", "check the zone in playbook.yaml and the clock of the system."),
    "known_before": Fault("it was known before it happened", "check which columns are mapped to the two instants."),
    "not_a_number": Fault("{about} is not a number", "write numbers with a point, without units or thousands marks."),
    "not_yes_or_no": Fault("{about} is neither yes nor no", "write true or false."),
    "unknown_value": Fault("{about} has a value the playbook does not know", "add it to the attribute's values."),
    "unknown_kind": Fault(
        "the kind is not one the playbook knows",
        "map it in the source's kinds, add it to activities, or name it under ignore.",
    ),
    "unknown_stage": Fault(
        "the stage is not one the playbook knows",
        "map it in the source, add it to stages, or name it under ignore.",
    ),
    "unexpected_subject": Fault(
        "a subject on a kind that carries none", "say subject: true for the kind in playbook.yaml, or do not map it."
    ),
    "unexpected_value": Fault(
        "a value on a kind that carries none", "say value: <unit> for the kind in playbook.yaml, or do not map it."
    ),
    "repeated": Fault("the same {about} came before with the same content", "the first known is kept; nothing to do."),
    "contradicting": Fault(
        "the same {about} came before with other content", "the first known is kept; give each row an id of its own."
    ),
    "orphan": Fault("there is no such lead", "export the lead too, or leave the row out of the export."),
    "lead_rejected": Fault("its lead was rejected", "mend the lead: its own row is among the rejected."),
    "before_creation": Fault(
        "reached before the lead was created", "check the zone, and which columns are mapped to the two instants."
    ),
    "broken_line": Fault("the line cannot be read", "mend its delimiters, quotes or encoding (UTF-8)."),
}
"""Rule → its words. A row's fault is written ``rule:column``."""


def said(fault: str) -> str:
    """
    Return a fault in words.

    >>> said("unreadable:occurred_at")
    'occurred_at is not an instant'
    """
    rule, about = told_apart(fault)
    return FAULTS[rule].says.format(about=about)


def told_apart(fault: str) -> tuple[str, str]:
    """
    Split a fault into its rule and the column it is about.

    >>> told_apart("missing:lead_id")
    ('missing', 'lead_id')
    """
    rule, _, about = fault.partition(":")
    return rule, about
