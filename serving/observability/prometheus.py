"""
Metrics: what this service says of itself to Prometheus, with no lead, no key and no address in any label.

Several processes share one folder (``PROMETHEUS_MULTIPROC_DIR``), so that whichever is asked answers for all. What
each counts for itself is refreshed there once a second; what the store knows is looked up when somebody asks.
"""

import asyncio
import os
import platform
from collections.abc import Iterator, MutableMapping
from contextlib import suppress
from importlib.metadata import version
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from data.instants import SECOND_US
from serving.service import Service
from serving.store.database import STORE_ERRORS
from serving.store.tables import quarantine, store_state

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_TOO_MANY = 429
_REFRESH_S = 1.0


class Meter:
    """
    Counts what one process of the service does.

    Args:
        service: whose parts are asked how they are.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._registry = registry = CollectorRegistry()
        self.requests = Histogram(
            "leadscore_request_seconds",
            "seconds from a request's headers to the end of its answer",
            ["route", "method", "status"],
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self.rate_limited = _counter(registry, "rate_limited_requests", "requests of keys that ask too often")
        self.store_errors = _counter(registry, "store_errors", "times that the store did not answer")
        self._lost = _counter(registry, "receipts_lost", "receipts of answers that could not be kept in time")
        self._swaps = _counter(registry, "model_swaps", "times that a process took up another scorer")
        self._swept = _counter(registry, "swept_leads", "leads scored anew because time passed")
        self._in_flight = _gauge(registry, "requests_in_flight", "requests that are being answered", "livesum")
        self._waiting = _gauge(registry, "receipts_waiting", "receipts of answers that are not on disk yet", "livesum")
        self._degraded = _gauge(registry, "degraded", "1 where a stand-in for the model answers", "livemax")
        self._memory = _gauge(registry, "resident_memory_bytes", "memory of all processes", "livesum")
        self.in_flight = 0
        self._series: dict[tuple[str, str, int], Histogram] = {}
        self._told: dict[str, int] = {}

    def answered(self, scope: MutableMapping[str, Any], status: int, *, seconds: float) -> None:
        """Count a request that was answered; its path is never kept, since it may name a lead."""
        asked = (route_of(scope), scope["method"], status)
        series = self._series.get(asked)
        if series is None:
            series = self._found(asked)
        series.observe(seconds)
        if status == _TOO_MANY:
            self.rate_limited.inc()

    def refresh(self) -> None:
        """Write down how this process is."""
        service = self._service
        self._in_flight.set(self.in_flight)
        self._waiting.set(service.recorder.waiting)
        self._degraded.set(service.active_scorer.current.degraded)
        self._add(self._lost, "lost", service.recorder.lost)
        self._add(self._swaps, "swaps", service.active_scorer.swaps)
        self._add(self._swept, "swept", service.worker.backlog_follower.swept)
        self._add(self.store_errors, "store errors", service.worker.store_errors)
        with suppress(OSError):  # only Linux tells it so
            self._memory.set(_resident_bytes())

    async def keep_fresh(self) -> None:
        """Write down once a second how this process is, for ever, for other processes to tell."""
        while True:
            self.refresh()
            await asyncio.sleep(_REFRESH_S)

    def text(self) -> bytes:
        """Give everything as Prometheus reads it."""
        self.refresh()
        told = CollectorRegistry()
        told.register(_Stored(self._service))
        if is_shared():
            MultiProcessCollector(told)  # type: ignore[no-untyped-call]
            return generate_latest(told)
        return generate_latest(self._registry) + generate_latest(told)

    def _found(self, asked: tuple[str, str, int]) -> Histogram:
        """Give the series of a kind of request; those that no route took share one, whatever they called themselves."""
        route, method, status = asked
        series = self.requests.labels(route, method if method in _METHODS else "other", str(status))
        if method in _METHODS:
            self._series[asked] = series
        return series

    def _add(self, counter: Counter, name: str, total: int) -> None:
        counter.inc(max(0, total - self._told.get(name, 0)))
        self._told[name] = total


class _Stored(Collector):
    """What the store and the clock say at the moment somebody asks."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        """Give it; of a store that does not answer, that it does not."""
        yield _build(self._service)
        try:
            found = list(self._of_store())
        except STORE_ERRORS:
            found = [_told("store_up", "1 where the store answers", 0)]
        yield from found

    def _of_store(self) -> Iterator[Metric]:
        service = self._service
        backlog, now = service.worker.backlog_follower.backlog(), service.clock.now()
        waited_s = 0 if backlog.oldest_since is None else max(0, now - backlog.oldest_since) / SECOND_US
        behind_s = max(0, now - service.clock.as_of(service.database.other_writer_since)) / SECOND_US
        with service.database.reading() as connection:
            held = connection.execute(select(func.count()).where(quarantine.c.released_at.is_(None))).scalar_one()
            swept = connection.execute(select(store_state.c.content).where(store_state.c.name == "swept_at")).scalar()
        yield _told("store_up", "1 where the store answers", 1)
        yield _told("queue_leads", "leads that wait to be scored after what happened to them", backlog.leads)
        yield _told("queue_oldest_seconds", "how long the first of them has waited", waited_s)
        lag = GaugeMetricFamily(
            "leadscore_feature_lag_seconds",
            "how far scores are behind the facts: stored, live",
            labels=["of"],
        )
        lag.add_metric(["stored"], waited_s)
        lag.add_metric(["live"], behind_s)
        yield lag
        yield _told("quarantined_facts", "facts that wait for somebody to release them", held)
        if swept is not None:
            yield _told("sweep_last_timestamp_seconds", "when a sweep last ended", int(swept) / SECOND_US)


def route_of(scope: MutableMapping[str, Any]) -> str:
    """Give the template of the route that took a request, such as ``/v1/leads/{lead_id}/merge``."""
    found: str = getattr(scope.get("route"), "path", "none")
    return found


def is_shared() -> bool:
    """Say whether several processes count together."""
    return SHARED_FOLDER in os.environ


def _build(service: Service) -> Metric:
    scorer = service.active_scorer.current.scorer.id
    labels = {
        "version": version("leadscore"),
        "python": platform.python_version(),
        "store": service.database.dialect,
        "scorer": f"{scorer.kind} {scorer.name} {scorer.version}",
        "fingerprint": scorer.fingerprint,
    }
    found = GaugeMetricFamily("leadscore_build_info", "what runs here", labels=list(labels))
    found.add_metric(list(labels.values()), 1)
    return found


def _told(name: str, says: str, value: float) -> Metric:
    return GaugeMetricFamily(f"leadscore_{name}", says, value=value)


def _counter(registry: CollectorRegistry, name: str, says: str) -> Counter:
    return Counter(f"leadscore_{name}", says, registry=registry)


def _gauge(registry: CollectorRegistry, name: str, says: str, mode: Any) -> Gauge:
    return Gauge(f"leadscore_{name}", says, registry=registry, multiprocess_mode=mode)


def _resident_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as told:  # noqa: PTH123 - a path object costs more than the read
        return int(told.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
