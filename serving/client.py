"""
A client of the service for programs in Python: facts in, scores out; what failed on the way is sent again.

Answers are the JSON objects that ``/openapi.json`` describes, with the types of ``serving.answers``.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from itertools import islice
from types import TracebackType
from typing import Any, Literal, Self, cast
from urllib.parse import quote
from uuid import uuid4

import httpx

from serving.answers import (
    ItemResult,
    ModelAnswer,
    ReadyAnswer,
    Role,
    RouteAnswer,
    ScoreAnswer,
    Taken,
    UnknownLead,
)
from serving.errors import ProblemError, UnreachableError
from serving.sending import MOST_ITEMS, batches, pause_s, problem_of, written

Item = Mapping[str, object]
Answer = dict[str, Any]


class Client:
    """
    The service as calls of Python; a context manager, to be used from one thread.

    Every request that tells something carries an ``Idempotency-Key``, which stays the same when it is sent again: so
    nothing is kept twice, however often the network fails. Sent again, after a pause that doubles and that the service
    may lengthen by ``Retry-After``, is what got no answer, and what was answered with "later" (429, 502, 503, 504, and
    409 while the first of two equal requests is still being answered). Every other refusal is raised at once.

    Args:
        url: where the service is, such as ``http://127.0.0.1:8000``; a path behind the host is kept.
        key: an API key; None sends none.
        timeout_s: how long one request may take to be answered.
        retries: how often a request is sent again before the client gives up.
        transport: how httpx reaches the service, if not over the network.
        http: an httpx client to use in place of one of its own; who gave it closes it.
        sleep: waits for some seconds.
    """

    def __init__(
        self,
        url: str = "",
        *,
        key: str | None = None,
        timeout_s: float = 30,
        retries: int = 5,
        transport: httpx.BaseTransport | None = None,
        http: httpx.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = url.rstrip("/")
        self._headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._retries = retries
        self._sleep = sleep
        self._is_lent = http is not None
        self._http = http or httpx.Client(timeout=timeout_s, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        if not self._is_lent:
            self._http.close()

    # ---- facts

    def tell_leads(self, items: Iterable[Item]) -> Taken:
        """
        Tell of leads, or of changes to them, in batches.

        Args:
            items: objects as ``POST /v1/leads`` takes them; instants may be datetimes with an offset.

        Returns:
            One result per item, in order. Where an error was raised, batches before it are kept: tell all of it again.

        Raises:
            ProblemError: the service refused a whole batch.
            UnreachableError: it did not answer, or not in time.
        """
        return self._tell("/v1/leads", items)

    def tell_activities(self, items: Iterable[Item]) -> Taken:
        """Tell of activities, in batches; everything else as in ``tell_leads``."""
        return self._tell("/v1/activities", items)

    def tell_outcomes(self, items: Iterable[Item]) -> Taken:
        """Tell of stages that leads reached, in batches; everything else as in ``tell_leads``."""
        return self._tell("/v1/outcomes", items)

    def merge(self, lead_id: str, into: str) -> Answer:
        """Say that a lead turned out to be another one."""
        return self._json("POST", f"{_of(lead_id)}/merge", body=written({"into": into}), changes=True)

    def quarantine(self, limit: int = 100) -> list[Answer]:
        """Give the newest facts that wait because their instant cannot be right."""
        found: list[Answer] = self._json("GET", "/v1/quarantine", query={"limit": limit})["quarantine"]
        return found

    def release(self, number: int) -> Answer:
        """Let a fact out of quarantine."""
        return self._json("POST", f"/v1/quarantine/{number}/release", body=b"{}", changes=True)

    # ---- scores

    def score(self, lead_id: str, as_of: str | datetime | None = None, reasons: int | None = None) -> ScoreAnswer:
        """
        Score a lead.

        Args:
            lead_id: its id; the id of a lead that was merged into another gives the other's score.
            as_of: an instant that has passed, to use what was known then; default: now.
            reasons: how many reasons to word; default: as many as the service words by itself.

        Raises:
            ProblemError: with status 404 where the lead is not known, or was not yet.
        """
        query = {"as_of": _instant(as_of), "reasons": reasons}
        return cast("ScoreAnswer", self._json("GET", f"{_of(lead_id)}/score", query=query))

    def scores(self, lead_ids: Iterable[str], as_of: str | datetime | None = None) -> list[ScoreAnswer | UnknownLead]:
        """
        Score leads in batches, all as of one instant, in the order asked for.

        Returns:
            One answer per id; that of a lead which is not known has an ``error`` and no ``score``.
        """
        found: list[ScoreAnswer | UnknownLead] = []
        rest, instant = iter(lead_ids), _instant(as_of)
        while batch := list(islice(rest, MOST_ITEMS)):
            body = written({"lead_ids": batch})
            answer = self._json("POST", "/v1/scores", body=body, query={"as_of": instant})
            instant = instant or answer["as_of"]
            found.extend(answer["scores"])
        return found

    def best(self, limit: int = 100) -> list[Answer]:
        """Give the stored scores, best first; those older than they should be are marked stale."""
        found: list[Answer] = self._json("GET", "/v1/scores", query={"limit": limit})["scores"]
        return found

    def preview(self, lead: Item, activities: Iterable[Item] = (), reasons: int | None = None) -> ScoreAnswer:
        """Score a lead and activities that are stored nowhere."""
        body = written({"lead": lead, "activities": list(activities)})
        return cast("ScoreAnswer", self._json("POST", "/v1/scores/preview", body=body, query={"reasons": reasons}))

    def receipts(self, lead_id: str) -> list[Answer]:
        """Give the scores that were given for a lead, once per change, newest first."""
        found: list[Answer] = self._json("GET", f"{_of(lead_id)}/receipts")["receipts"]
        return found

    def replay(self, receipt_id: str) -> Answer:
        """Compute a score that was given again, from what was kept with it, and say whether it is equal."""
        return self._json("GET", f"/v1/receipts/{_segment(receipt_id)}/replay")

    def changes(self, lead_id: str, since: str | datetime) -> Answer:
        """Give what changed in a lead's score since an instant, in points that add up."""
        return self._json("GET", f"{_of(lead_id)}/changes", query={"since": _instant(since)})

    def routes(self, limit: int = 100) -> list[RouteAnswer]:
        """Give the leads that were handed over, newest first."""
        found: list[RouteAnswer] = self._json("GET", "/v1/routes", query={"limit": limit})["routes"]
        return found

    # ---- the model

    def model(self) -> ModelAnswer:
        """Say which scorer answers."""
        return cast("ModelAnswer", self._json("GET", "/v1/model"))

    def put_model(self, blob: bytes, role: Role = "champion", version: str | None = None) -> Answer:
        """Hand a packed bundle to the service, which checks it before it answers with it."""
        return self._json("PUT", "/v1/model", body=blob, query={"role": role, "version": version}, changes=True)

    def remove_shadow(self) -> Answer:
        """Let nobody be compared with the champion any longer."""
        return self._json("DELETE", "/v1/model", query={"role": "shadow"}, changes=True)

    # ---- privacy

    def erase(self, lead_id: str) -> Answer:
        """Erase all that is known of the person behind a lead; the answer is the erasure receipt."""
        return self._json("DELETE", _of(lead_id))

    def dossier(self, lead_id: str) -> Answer:
        """Give all that is held about a lead, and the logic of its score in plain words."""
        return self._json("GET", f"{_of(lead_id)}/dossier")

    # ---- the service

    def ready(self) -> ReadyAnswer:
        """Say whether the service can answer, and whether a stand-in does."""
        return cast("ReadyAnswer", self._json("GET", "/health/ready"))

    def _tell(self, path: str, items: Iterable[Item]) -> Taken:
        results: list[ItemResult] = []
        for body in batches(items):
            results.extend(self._json("POST", path, body=body, changes=True)["results"])
        return Taken(tuple(results))

    def _json(
        self,
        method: Literal["GET", "POST", "PUT", "DELETE"],
        path: str,
        *,
        body: bytes | None = None,
        query: Mapping[str, str | int | None] | None = None,
        changes: bool = False,
    ) -> Answer:
        """Send a request until it is answered, and read the answer."""
        headers = self._headers | ({} if body is None else {"Content-Type": _type(method)})
        if changes:
            headers["Idempotency-Key"] = uuid4().hex
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        request = self._http.build_request(
            method, f"{self._url}{path}", content=body, params=asked or None, headers=headers
        )
        return _answer(self._sent(request))

    def _sent(self, request: httpx.Request) -> httpx.Response:
        """Send a request, again where that may help; the failure that is left in the end is raised."""
        attempt = 0
        while True:
            attempt += 1
            came = self._tried(request)
            if isinstance(came, httpx.Response) and came.is_success:
                return came
            pause = pause_s(came, attempt) if attempt <= self._retries else None
            if pause is None:
                raise (
                    problem_of(came) if isinstance(came, httpx.Response) else UnreachableError(_host(request), attempt)
                )
            self._sleep(pause)

    def _tried(self, request: httpx.Request) -> httpx.Response | httpx.TransportError:
        try:
            return self._http.send(request)
        except httpx.TransportError as error:
            return error


def _of(lead_id: str) -> str:
    return f"/v1/leads/{_segment(lead_id)}"


def _segment(name: str) -> str:
    """
    Write an id as one part of an address; a dot alone would mean the part before.

    >>> _segment("a/b c"), _segment("..")
    ('a%2Fb%20c', '%2E%2E')
    """
    return quote(name, safe="") if name.strip(".") else name.replace(".", "%2E")


def _host(request: httpx.Request) -> str:
    return request.url.host if request.url.port is None else f"{request.url.host}:{request.url.port}"


def _type(method: str) -> str:
    return "application/octet-stream" if method == "PUT" else "application/json"


def _instant(given: str | datetime | None) -> str | None:
    return given.isoformat() if isinstance(given, datetime) else given


def _answer(response: httpx.Response) -> Answer:
    try:
        found = response.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise problem_of(response)
    return found


__all__ = ["Client", "ProblemError", "Taken", "UnreachableError"]
