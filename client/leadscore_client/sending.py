"""What became of items that were sent."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from leadscore_client.answers import ItemResultDict

_FIELD = re.compile(r"(?:unknown field )?([\w.()-]+)(?=:|\.$)")


@dataclass(frozen=True, slots=True)
class RefusedItem:
    """
    An item that the service did not store.

    Attributes:
        index: position among the items given, from 0.
        id: the item's own id; None where it could not be read.
        field: path of the first field at fault, such as ``attributes.employees``; None where none alone is.
        error: what is wrong and what to do, in the service's words.
    """

    index: int
    id: str | None
    field: str | None
    error: str


@dataclass(frozen=True, slots=True)
class SendResult:
    """
    What became of all items, in the order given; whatever is stored is on the service's disk.

    >>> sent = SendResult(
    ...     ({"id": "a", "status": "stored"}, {"id": "b", "status": "rejected", "error": "kind: unknown."})
    ... )
    >>> sent.stored, sent.rejected, sent.refused[0].index, sent.refused[0].field
    (1, 1, 1, 'kind')
    """

    results: Sequence[ItemResultDict]

    @property
    def stored(self) -> int:
        """Number of new items."""
        return self._count("stored")

    @property
    def duplicates(self) -> int:
        """Number of items that were stored before."""
        return self._count("duplicate")

    @property
    def quarantined(self) -> int:
        """Number of items that wait until somebody releases them."""
        return self._count("quarantined")

    @property
    def rejected(self) -> int:
        """Number of items that were not stored."""
        return self._count("rejected")

    @property
    def refused(self) -> list[RefusedItem]:
        """The items that were not stored, each with its index, its field and the error."""
        return list(_refused(self.results))

    def _count(self, status: str) -> int:
        return sum(result["status"] == status for result in self.results)


def _refused(results: Sequence[ItemResultDict]) -> Iterable[RefusedItem]:
    for index, result in enumerate(results):
        if result["status"] == "rejected":
            error = result.get("error") or ""
            field = _FIELD.match(error)
            yield RefusedItem(index, result["id"], field[1] if field else None, error)
