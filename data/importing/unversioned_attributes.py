"""
Unversioned attributes: those of a source that does not say since when a value is known.

Such a file holds today's values. Read as if they had been known since the lead was created, they may tell a model what
happened later, such as how often the lead has looked at the website until the day of the export.
"""

from dataclasses import dataclass

from data.words.business import Business
from data.words.source_columns import changed_attributes, lead_attributes
from data.words.sources import EventLogSource, LeadSource

REMEDY = (
    "export their history (holds: lead_changes, or a column for known_at), put them on never_use, or set "
    "as_of_creation: true for those that were known when the lead was created and never changed"
)


@dataclass(frozen=True, slots=True)
class UnversionedAttributes:
    """The attributes of one source that are read as today's values."""

    source: str
    attributes: tuple[str, ...]

    @property
    def says(self) -> str:
        """
        What is not known of them, and what to do.

        >>> UnversionedAttributes("leads.csv", ("page_views",)).says.split(":")[0]
        'leads.csv does not say since when the values of page_views are known, so they are those of the export'
        """
        return (
            f"{self.source} does not say since when the values of {', '.join(self.attributes)} are known, so they are "
            f"those of the export: {REMEDY}."
        )


def unversioned_attributes(business: Business) -> tuple[UnversionedAttributes, ...]:
    """
    Return the attributes without a history, by source; those that may not be used do no harm and are left out.

    Args:
        business: an attribute with ``as_of_creation`` needs no history.
    """
    found, changed = [], changed_attributes(business)
    for source in business.sources:
        if isinstance(source, LeadSource) and source.columns.known_at is None and source.snapshot_date is None:
            named = list(lead_attributes(source, business))
        elif isinstance(source, EventLogSource):
            named = list(source.attributes)
        else:
            continue
        if names := tuple(name for name in named if name not in changed and may_change(name, business)):
            found.append(UnversionedAttributes(source.file, names))
    return tuple(found)


def may_change(attribute: str, business: Business) -> bool:
    """Return whether an attribute may be used, and may have another value than when the lead was created."""
    known = business.attributes.get(attribute)
    return known is not None and not known.as_of_creation and attribute not in business.never_use
