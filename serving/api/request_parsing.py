"""What a request asks for: bodies of JSON, instants and numbers in the query, each checked by hand for speed."""

import json
from typing import Any, NoReturn, cast, get_args

from fastapi import Request, Response
from pydantic_core import to_json

from serving.errors import InvalidError, UnreadableError
from serving.facts import instant, safe_name
from serving.scorers.deployments import Role

MOST_ITEMS = 1000
_USUAL_REASONS = 5
_USUAL_LIMIT, _MOST_LISTED = "100", 1000
_MOST_REASONS = 1000
_DIGITS = 4
_NAMED = 5


def answer(content: object, status: int = 200) -> Response:
    """Write JSON as a response."""
    return Response(to_json(content), status, media_type="application/json")


def written(content: object) -> str:
    """
    Write JSON as it is sent.

    >>> written({"lead_id": "L-1"})
    '{"lead_id":"L-1"}'
    """
    return to_json(content).decode()


async def body_of(request: Request) -> Any:
    """
    Read the body as JSON; how large it may be is said where the route is.

    Raises:
        UnreadableError: it is not JSON as RFC 8259 has it: not UTF-8, NaN, nested too deep.
    """
    return parsed(await request.body())


def parsed(body: bytes) -> Any:
    """
    Parse JSON as RFC 8259 has it, but for objects that name a field twice: which of the two was meant?

    >>> parsed(b'{"lead_id": "L-1"}')
    {'lead_id': 'L-1'}
    """
    try:
        return _PARSER.decode(body.decode("utf-8"))
    except RecursionError:
        message = "The body is nested too deep: send the object that /openapi.json describes."
    except UnicodeDecodeError:
        message = "The body is not UTF-8: encode it so."
    except ValueError:
        message = "The body is not JSON (NaN and Infinity are none either): send a JSON object or list."
    raise UnreadableError(message)


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({safe_name(name) for name in found if names.count(name) > 1})
        message = f"The body names a field twice in one object ({', '.join(twice[:_NAMED])}): send each field once."
        raise InvalidError(message)
    return found


_PARSER = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_object)


def only(request: Request, *known: str) -> None:
    """
    Refuse parameters of a query that mean nothing here, since a typo would go unnoticed.

    Raises:
        InvalidError: a parameter is unknown or there twice.
    """
    if not request.scope["query_string"]:
        return
    names = [name for name, _ in request.query_params.multi_items()]
    unknown = sorted({safe_name(name) for name in names if name not in known})
    if unknown:
        takes = f"known are {', '.join(known)}" if known else "this address takes none"
        message = f"query: unknown parameter {', '.join(unknown[:_NAMED])}; {takes}."
        raise InvalidError(message)
    if len(set(names)) < len(names):
        message = "query: a parameter is there twice; send each once."
        raise InvalidError(message)


def items_of(body: object) -> list[object]:
    """
    Give the items of a body that is one object or a list of at most 1,000.

    Raises:
        InvalidError: it is neither.
    """
    if isinstance(body, dict):
        return [body]
    if not isinstance(body, list):
        message = "The body must be a JSON object, or a list of them."
        raise InvalidError(message)
    if len(body) > MOST_ITEMS:
        message = f"The body has {len(body):,} items, at most {MOST_ITEMS:,} are taken at once: send several requests."
        raise InvalidError(message)
    return body


def reasons_of(request: Request) -> int | None:
    """
    Give how many reasons are asked for; None means all.

    Raises:
        InvalidError: neither a number from 0 to 1000 nor ``all``.
    """
    return count(_said(request, "reasons"))


def _said(request: Request, name: str) -> str | None:
    """Give a parameter of the query; most requests have none, and then nothing is parsed."""
    return request.query_params.get(name) if request.scope["query_string"] else None


def count(given: str | None) -> int | None:
    """
    Read a number of reasons.

    >>> count(None), count("2"), count("all")
    (5, 2, None)
    """
    if given is None:
        return _USUAL_REASONS
    if given == "all":
        return None
    return whole(given, "reasons", most=_MOST_REASONS, least=0, also=" or all")


def whole(given: str, name: str, *, most: int, least: int = 1, also: str = "") -> int:
    """
    Read a whole number of a query.

    Raises:
        InvalidError: it is none, or out of its range.
    """
    if given.isascii() and given.isdecimal() and len(given) <= _DIGITS and least <= int(given) <= most:
        return int(given)
    message = f"{name}: expected a whole number from {least} to {most}{also}."
    raise InvalidError(message)


def limit_of(request: Request) -> int:
    """
    Give how many entries of a list are asked for.

    Raises:
        InvalidError: not a whole number from 1 to 1000.
    """
    return whole(request.query_params.get("limit", _USUAL_LIMIT), "limit", most=_MOST_LISTED)


def role_of(request: Request) -> Role:
    """
    Give the role that is asked about; by default the champion's.

    Raises:
        InvalidError: there is no such role.
    """
    role = request.query_params.get("role", "champion")
    if role not in get_args(Role):
        message = "role: expected champion or shadow."
        raise InvalidError(message)
    return cast("Role", role)


def as_of_of(request: Request) -> int | None:
    """
    Give the instant that is asked about [us since 1970 UTC]; None is now.

    Raises:
        InvalidError: it is not an instant with its offset.
    """
    return instant_of(request, "as_of")


def instant_of(request: Request, name: str) -> int | None:
    """
    Give an instant of a query [us since 1970 UTC]; None where it is not there.

    Raises:
        InvalidError: it is not an instant with its offset.
    """
    given = _said(request, name)
    if given is None:
        return None
    try:
        return instant(_with_plus(given))
    except ValueError as error:
        message = f"{name}: {error}."
        raise InvalidError(message) from None


def passed(at: int, name: str, *, now: int) -> int:
    """
    Give an instant if it has passed for every process that writes: before that nobody knows what will have happened.

    Raises:
        InvalidError: it is in the future.
    """
    if at > now:
        message = f"{name}: this instant is in the future; nobody knows yet what will have happened."
        raise InvalidError(message)
    return at


def _with_plus(given: str) -> str:
    """
    Give an instant back its plus sign, which a query that was not encoded turns into a space.

    >>> _with_plus("2026-03-01T12:00:00 01:00")
    '2026-03-01T12:00:00+01:00'
    """
    head, space, offset = given.rpartition(" ")
    return f"{head}+{offset}" if space and "T" in head else given
