"""
Who may call what: ``Authorization: Bearer lsk_…``, checked by a dependency of each route.

Routes without ``needs`` are open to everybody; a test holds every operation against a table.
"""

import asyncio
import ipaddress
import math
from collections.abc import Callable
from typing import Any, cast

from fastapi import Depends, FastAPI, Request
from fastapi.openapi.models import HTTPBearer as BearerModel
from fastapi.params import Depends as Dependency
from fastapi.routing import RouteContext, iter_route_contexts
from fastapi.security.base import SecurityBase

from serving.api.problems import MEDIA_TYPE
from serving.callers.key_use import SAVED_EVERY_S, KeyUse
from serving.callers.keys import ANYBODY, PREFIX, Key, KeyRing, Scope
from serving.callers.rate_limit import Limiter
from serving.errors import ExpiredKeyError, ForbiddenError, SettingsError, TooManyError, UnauthorisedError
from serving.settings import Settings
from serving.store.database import Database

_SCHEME = b"bearer "
_SCHEME_NAME = "key"
_LONGEST = 100
_BYTES_A_LEAD = 1024
_UNKNOWN, _EXPIRED, _FROM_ELSEWHERE = "an unknown key", "an expired key", "a key for other addresses"
_WRONG_PER_S, _WRONG_AT_ONCE = 20, 100


class AccessControl:
    """
    Checks callers before the routes: their keys, where they call from, and their rate.

    Args:
        settings: whether keys are required, and the rate of each.
        database: the store that holds the keys.
        now: the present instant [us since 1970 UTC].

    Attributes:
        use: when keys were used, and which attempts failed.
    """

    def __init__(self, settings: Settings, database: Database, now: Callable[[], int]) -> None:
        self._ring = KeyRing(database, now) if settings.keys == "required" else None
        self._reads_inline = database.dialect == "sqlite"  # takes less time than handing it to a thread would
        self._now = now
        self.use = KeyUse(database, now)
        self._callers = Limiter(settings.requests_per_s / settings.workers)
        self._leads = Limiter(settings.leads_per_s / settings.workers if settings.requests_per_s else 0)
        self._wrong = Limiter(_WRONG_PER_S if settings.requests_per_s else 0, burst=_WRONG_AT_ONCE)

    async def key_of(self, request: Request) -> Key:
        """
        Return the key of a request.

        Raises:
            UnauthorisedError: it carries no valid key.
            TooManyError: the caller exceeds its rate.
        """
        if self._ring is None:
            return ANYBODY
        secret = secret_in(request)
        key = None if secret is None else await self._found(self._ring, secret)
        host, now = request.client.host if request.client else "", self._now()
        refused = _why_refused(key, host, now)
        if key is None or refused is not None:
            if secret is not None:
                self.use.note_failure(host, refused or _UNKNOWN)
            _slow_down(self._wrong.wait_s(host))
            raise _refusal(secret, is_expired=refused == _EXPIRED)
        self.use.note_use(key.key_id, now)
        _slow_down(self._callers.wait_s(key.key_id))
        _slow_down(self._leads.wait_s(key.key_id))
        return key

    async def keep_use(self) -> None:
        """Save once a minute how keys were used, for ever."""
        while True:
            await asyncio.sleep(SAVED_EVERY_S)
            await asyncio.to_thread(self.use.save, self.use.take())

    def charge(self, request: Request, *, leads: int, body_bytes: int = 0) -> None:
        """Count what an accepted request turned out to be: leads, or the KiB of its body where they are more."""
        if self._ring is not None:
            self._leads.charge(key_of(request).key_id, max(leads, body_bytes // _BYTES_A_LEAD) - 1)

    def headers_of(self, request: Request) -> dict[str, str]:
        """
        Return what the caller may still spend, as the IETF's draft on rate limits writes it.

        Source: draft-ietf-httpapi-ratelimit-headers-10.
        """
        left = None if self._ring is None else self._leads.left(key_of(request).key_id)
        if left is None:
            return {}
        policy, state = f'"leads";q={left.quota};w=1', f'"leads";r={left.remaining};t={math.ceil(left.reset_s)}'
        return {"RateLimit-Policy": policy, "RateLimit": state}

    async def _found(self, ring: KeyRing, secret: str) -> Key | None:
        found = ring.cached(secret)
        if not ring.is_due(found):
            return found
        if self._reads_inline:
            ring.refresh(found)
        else:
            await asyncio.to_thread(ring.refresh, found)
        return ring.cached(secret)


class RequiredScopes(SecurityBase):
    """
    A dependency that accepts a request if its key has one of these scopes; without scopes, any key.

    It stores the key in ``request.state.key``.
    """

    def __init__(self, scopes: tuple[Scope, ...]) -> None:
        self.scopes = scopes
        self.scheme_name = _SCHEME_NAME
        self.model = BearerModel(
            description="a key made with `leadscore keys create`; one with the scope `admin` may do everything"
        )

    async def __call__(self, request: Request) -> None:
        """Accept the request, or raise the error that refuses it."""
        door: AccessControl = request.app.state.door
        request.state.key = key = await door.key_of(request)
        if self.scopes and not any(key.allows(scope) for scope in self.scopes):
            raise ForbiddenError(self.scopes)


def needs(*scopes: str) -> Dependency:
    """
    Return the dependency of a route that only keys with one of these scopes may use; without scopes, every key.

    A route takes it as ``dependencies=[needs("scores:read")]``.
    """
    return cast("Dependency", Depends(RequiredScopes(tuple(Scope(scope) for scope in scopes))))


def key_of(request: Request) -> Key:
    """Return the key of a request that ``needs`` accepted."""
    key: Key = request.state.key
    return key


def charge(request: Request, *, leads: int, body_bytes: int = 0) -> dict[str, str]:
    """
    Count the leads of an accepted request towards the limit of its key.

    Args:
        request: that ``needs`` accepted.
        leads: how many it asks for, or sends facts about.
        body_bytes: the size of its body.

    Returns:
        The headers that tell the caller what is left.
    """
    door: AccessControl = request.app.state.door
    door.charge(request, leads=leads, body_bytes=body_bytes)
    return door.headers_of(request)


def open_door(app: FastAPI, settings: Settings, *, database: Database, now: Callable[[], int]) -> None:
    """Set up the access control that ``needs`` uses."""
    app.state.door = AccessControl(settings, database, now)


def scopes_of(route: RouteContext) -> tuple[str, ...] | None:
    """Return the scopes of which a route needs one; empty if any key will do, None if no key is needed."""
    found = [depends.dependency for depends in getattr(route, "dependencies", [])]
    return next((needed.scopes for needed in found if isinstance(needed, RequiredScopes)), None)


def add_scopes(content: dict[str, Any], app: FastAPI) -> None:
    """Write into an OpenAPI document which key each operation needs, and how it answers the others."""
    for route in iter_route_contexts(app.routes):
        scopes, path = scopes_of(route), content["paths"].get(getattr(route, "path_format", None), {})
        for method in (route.methods or ()) if scopes is not None else ():
            operation = path.get(method.lower())
            if operation is not None:
                operation["security"] = [{_SCHEME_NAME: [str(scope)]} for scope in scopes or ()] or [{_SCHEME_NAME: []}]
                operation["x-scopes"] = [str(scope) for scope in scopes or ()]
                operation["responses"] = dict(sorted({**operation["responses"], **_refusals(scopes or ())}.items()))


def _refusals(scopes: tuple[str, ...]) -> dict[str, Any]:
    said = {401: "There is no valid key", 403: "The key lacks the scope", 429: "More requests than this key may make"}
    told = {status: words for status, words in said.items() if scopes or status != ForbiddenError.status}
    media = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {str(status): {"description": words, "content": media} for status, words in told.items()}


def check_open(settings: Settings) -> None:
    """
    Refuse to serve without keys on an address that other machines reach.

    Raises:
        SettingsError: keys are off and the host is not a loopback address.
    """
    if settings.keys == "off" and not is_loopback(settings.host):
        message = (
            "keys are off and the service would listen beyond this machine: set LEADSCORE_KEYS=required, "
            "or LEADSCORE_HOST=127.0.0.1."
        )
        raise SettingsError(message)


def is_loopback(host: str) -> bool:
    """
    Return whether a host is a loopback address.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def secret_in(request: Request) -> str | None:
    """Return the secret in a request's ``Authorization`` header; None if nothing in it could be one."""
    given = [value for name, value in request.scope["headers"] if name == b"authorization"]
    if len(given) != 1 or given[0][: len(_SCHEME)].lower() != _SCHEME or len(given[0]) > _LONGEST:
        return None
    found: str = given[0][len(_SCHEME) :].decode("latin-1").strip()
    return found if found.startswith(PREFIX) and found.isascii() else None


def _why_refused(key: Key | None, host: str, now: int) -> str | None:
    """Return why a key opens nothing from an address at an instant; None if it does."""
    if key is None:
        return _UNKNOWN
    if not key.allows_from(host):
        return _FROM_ELSEWHERE
    return _EXPIRED if key.has_expired(now) else None


def _refusal(secret: str | None, *, is_expired: bool) -> UnauthorisedError:
    """Return the refusal of a key; the same but for expired keys, since the sender may be a thief."""
    if secret is None:
        message = f"Send a key in the header `Authorization: Bearer {PREFIX}…`; this request carries none."
        return UnauthorisedError(message)
    if not is_expired:
        message = "This key opens nothing here: it was never made, was revoked, or is for other addresses."
        return UnauthorisedError(message, error="invalid_token")
    message = "This key has expired: ask for the one that takes its place."
    return ExpiredKeyError(message, error="invalid_token")


def _slow_down(wait_s: float) -> None:
    if wait_s:
        message = "More requests than may be answered now: send the next one after the seconds in Retry-After."
        raise TooManyError(message, retry_after_s=math.ceil(wait_s))


__all__ = [
    "AccessControl",
    "RequiredScopes",
    "add_scopes",
    "charge",
    "check_open",
    "key_of",
    "needs",
    "open_door",
    "scopes_of",
]
