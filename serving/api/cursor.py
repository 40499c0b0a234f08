"""
Cursors: an opaque text that says where in a list the next page begins, and what the list was filtered by.

A cursor holds nothing secret and opens nothing; its checksum is there so that a mangled one is refused in one sentence
and never leads to a wrong page.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Literal

from fastapi import Query
from pydantic import ConfigDict, Field, TypeAdapter

from serving.errors import InvalidError
from serving.store.keyset import KeyValue, Page, Position

_VERSION: Literal[1] = 1
_CHECKSUM_BYTES = 6
_LONGEST = 4000
Filters = Mapping[str, int | str | None]
_Values = Annotated[tuple[KeyValue, ...], Field(min_length=1)]
_CONTENT: TypeAdapter[tuple[Literal[1], str, bool, _Values, Filters]] = TypeAdapter(
    tuple[Literal[1], str, bool, _Values, Filters], config=ConfigDict(strict=True)
)
CursorText = Annotated[
    str | None,
    Query(
        max_length=_LONGEST,
        description="`next` or `previous` of an answer, unchanged; filters may be left out, since it holds them",
        examples=["h3qk2JvIWzEsInJvdXRlcyIsZmFsc2UsWzddLHsic2luY2UiOm51bGx9XQ"],
    ),
]


@dataclass(frozen=True, slots=True)
class PageRequest:
    """
    Which page of a list a request is for.

    Attributes:
        listing: the name of the list.
        filters: what it is filtered by, as sent, or else as the cursor has it.
        position: where the page begins; None is the start.
    """

    listing: str
    filters: Filters
    position: Position | None = None

    @classmethod
    def read(cls, cursor: str | None, listing: str, **filters: int | str | None) -> "PageRequest":
        """
        Return which page of a list a request is for.

        Raises:
            InvalidError: the cursor is none of this list, or the filters beside it are not those that it was made with.
        """
        if cursor is None:
            return cls(listing, filters)
        page = _decoded(cursor)
        if page.listing != listing or page.filters.keys() != filters.keys():
            raise _no_cursor()
        for name, value in filters.items():
            if value is not None and value != page.filters[name]:
                message = f"{name}: the cursor was made with another {name}; send the same, or leave it out."
                raise InvalidError(message)
        return page

    @property
    def since(self) -> int | None:
        """The instant from which on rows are listed [us since 1970 UTC]."""
        since = self.filters["since"]
        return since if isinstance(since, int) else None

    def cursors(self, page: Page) -> dict[str, str | None]:
        """Return the cursors to the pages around a page."""
        return {"next": self._cursor(page.following), "previous": self._cursor(page.preceding)}

    def _cursor(self, position: Position | None) -> str | None:
        return None if position is None else _encoded(PageRequest(self.listing, self.filters, position))


def _encoded(page: PageRequest) -> str:
    """
    Return a page request as a cursor.

    >>> page = PageRequest("routes", {"since": None}, Position((7,)))
    >>> _decoded(_encoded(page)) == page
    True
    """
    position = page.position or Position(())
    content = [_VERSION, page.listing, position.is_backwards, position.values, page.filters]
    payload = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
    checksum = sha256(payload).digest()[:_CHECKSUM_BYTES]
    return base64.urlsafe_b64encode(checksum + payload).rstrip(b"=").decode()


def _decoded(cursor: str) -> PageRequest:
    try:
        blob = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        _, listing, is_backwards, values, filters = _CONTENT.validate_json(blob[_CHECKSUM_BYTES:])
    except ValueError:
        raise _no_cursor() from None
    page = PageRequest(listing, filters, Position(values, is_backwards))
    if _encoded(page) != cursor:  # another checksum, or bits beyond the last byte
        raise _no_cursor()
    return page


def _no_cursor() -> InvalidError:
    return InvalidError("cursor: is not one of this list; send `next` or `previous` of its answer unchanged.")
