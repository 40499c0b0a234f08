"""
Metrics for Prometheus; no label names a lead, a secret or an address, and callers cannot add series without end.

Several processes share one folder (``PROMETHEUS_MULTIPROC_DIR``), so that the one that is scraped answers for all.
What each counts for itself is refreshed there once a second; what the store knows is read at each scrape.
"""

import asyncio
import os
import platform
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from data.instants import SECOND_US
from serving.intake.ingestion import Ingestion
from serving.observability.open_connections import OpenConnections
from serving.scores.receipt_retention import ReceiptCounts, receipt_counts
from serving.service import Service
from serving.store.state import read_state
from serving.store.store_errors import STORE_ERRORS
from serving.store.store_health import disk_free_bytes, log_bytes, newest_fact_at, size_bytes
from serving.store.tables import quarantine
from serving.worker import SWEPT

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_TOO_MANY = 429
_MOST_KEYS = 100
"""Keys that have a series of their own; those that a process sees later share one."""
_REFRESH_S = 1.0


class Meter:
    """
    Counts what one process of the service does.

    Args:
        service: the service whose state is measured.
        connections: the open connections of this process.

    Attributes:
        in_flight: requests that are being answered.
        processes_replaced: counts the processes that were replaced, where there is a supervisor.
    """

    def __init__(self, service: Service, connections: OpenConnections) -> None:
        self._service = service
        self._connections = connections
        self._registry = registry = CollectorRegistry()
        self.requests = Histogram(
            "leadscore_request_seconds",
            "seconds from a request's headers to the end of its answer",
            ["route", "method", "status"],
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self.rate_limited = _counter(registry, "rate_limited_requests", "requests of keys that send too many")
        self.store_errors = Counter(
            "leadscore_store_errors",
            "times that the store did not answer, by its own name of the error",
            ["error"],
            registry=registry,
        )
        self._facts = Counter(
            "leadscore_facts",
            "facts that were sent, by kind and by what became of them",
            ["kind", "outcome"],
            registry=registry,
        )
        self._rejected = Counter(
            "leadscore_rejected_items",
            "items that were not stored, by the id of the key that sent them",
            ["key_id"],
            registry=registry,
        )
        self._handovers = _counter(registry, "handovers", "leads that were handed over")
        self._lost = _counter(registry, "receipts_lost", "receipts of answers that could not be saved in time")
        self._swaps = _counter(registry, "model_swaps", "times that a process switched to another scorer")
        self._swept = _counter(registry, "swept_leads", "leads scored again because time passed")
        self._cut_off = _counter(registry, "connections_cut_off", "connections cut off to make room for others")
        self._refused = Counter(
            "leadscore_refused_requests",
            "requests that the server refused before the app saw them",
            ["status"],
            registry=registry,
        )
        self._open = _gauge(registry, "connections", "connections that are open", "livesum")
        self._in_flight = _gauge(registry, "requests_in_flight", "requests that are being answered", "livesum")
        self._waiting = _gauge(registry, "receipts_waiting", "receipts of answers that are not on disk yet", "livesum")
        self._degraded = _gauge(registry, "degraded", "1 where a stand-in for the model answers", "livemax")
        self._memory = _gauge(registry, "resident_memory_bytes", "memory of all processes", "livesum")
        self.in_flight = 0
        self.processes_replaced: Callable[[], int] = int
        self._series: dict[tuple[str, str, int], Histogram] = {}
        self._counted: dict[str, int] = {}

    def answered(self, scope: MutableMapping[str, Any], status: int, *, seconds: float) -> None:
        """Count a request that was answered, by the template of its route, since its path may name a lead."""
        kind = (route_of(scope), scope["method"], status)
        series = self._series.get(kind) or self._series_of(kind)
        series.observe(seconds)
        if status == _TOO_MANY:
            self.rate_limited.inc()

    def refresh(self) -> None:
        """Write down the state of this process."""
        service = self._service
        self._in_flight.set(self.in_flight)
        self._waiting.set(service.recorder.waiting)
        self._degraded.set(service.active_scorer.current.degraded)
        self._add(self._lost, "lost", service.recorder.lost)
        self._add(self._swaps, "swaps", service.active_scorer.swaps)
        self._add(self._swept, "swept", service.worker.backlog_follower.swept)
        self._add(self._handovers, "handed over", service.worker.backlog_follower.rescoring.handed_over)
        self._count_facts(service.ingestion)
        for error, count in service.worker.store_errors.copy().items():
            self._add(self.store_errors.labels(error), f"store error {error}", count)
        self._open.set(len(self._connections))
        self._add(self._cut_off, "cut off", self._connections.cut_off)
        for status, count in self._connections.refused.items():
            self._add(self._refused.labels(str(status.value)), f"refused {status}", count)
        with suppress(OSError):  # only Linux has this file
            self._memory.set(_resident_bytes())

    async def keep_fresh(self) -> None:
        """Write down the state of this process once a second, for ever, so that other processes can report it."""
        while True:
            self.refresh()
            await asyncio.sleep(_REFRESH_S)

    def text(self) -> bytes:
        """Return all metrics in Prometheus's text format."""
        self.refresh()
        registry = CollectorRegistry()
        registry.register(_StoreCollector(self._service, self.processes_replaced))
        folder = os.environ.get(SHARED_FOLDER)
        if folder is None:
            return generate_latest(self._registry) + generate_latest(registry)
        _forget_dead_processes(Path(folder))
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)

    def _series_of(self, kind: tuple[str, str, int]) -> Histogram:
        """Return the series of a kind of request; unknown methods share one, so that callers cannot add series."""
        route, method, status = kind
        series = self.requests.labels(route, method if method in _METHODS else "other", str(status))
        if method in _METHODS:
            self._series[kind] = series
        return series

    def _count_facts(self, ingestion: Ingestion) -> None:
        for (kind, outcome), count in ingestion.outcomes.copy().items():
            self._add(self._facts.labels(kind, outcome), f"fact {kind} {outcome}", count)
        for number, (key_id, count) in enumerate(ingestion.rejected_by.copy().items()):
            label = key_id if number < _MOST_KEYS else "other"
            self._add(self._rejected.labels(label), f"rejected of {key_id}", count)

    def _add(self, counter: Counter, name: str, total: int) -> None:
        counter.inc(max(0, total - self._counted.get(name, 0)))
        self._counted[name] = total


class _StoreCollector(Collector):
    """What the store, the clock and the supervisor say at the moment of a scrape."""

    def __init__(self, service: Service, processes_replaced: Callable[[], int]) -> None:
        self._service = service
        self._processes_replaced = processes_replaced

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics; of a store that does not answer, only that it does not."""
        yield _build_info(self._service)
        replaced = "processes that died or stood still, and were replaced"
        yield CounterMetricFamily("leadscore_processes_replaced", replaced, value=self._processes_replaced())
        try:
            metrics = list(self._of_store())
        except STORE_ERRORS:
            metrics = [_gauge_now("store_up", "1 where the store answers", 0)]
        yield from metrics

    def _of_store(self) -> Iterator[Metric]:
        service = self._service
        backlog, now = service.worker.backlog_follower.backlog(), service.clock.now()
        waited_s = 0 if backlog.oldest_since is None else max(0, now - backlog.oldest_since) / SECOND_US
        behind_s = max(0, now - service.clock.as_of(service.database.other_writer_since)) / SECOND_US
        with service.database.reading() as connection:
            newest = newest_fact_at(connection)
            counts = receipt_counts(connection)
            held = connection.execute(select(func.count()).where(quarantine.c.released_at.is_(None))).scalar_one()
            swept = read_state(connection, SWEPT)
        yield _gauge_now("store_up", "1 where the store answers", 1)
        clock_behind_s = 0 if newest is None else max(0, newest - now) / SECOND_US
        yield _gauge_now("clock_behind_seconds", "how far the clock is behind the newest fact", clock_behind_s)
        yield _gauge_now("queue_leads", "leads that wait to be scored after new facts", backlog.leads)
        yield _gauge_now("queue_oldest_seconds", "how long the first of them has waited", waited_s)
        lag = GaugeMetricFamily(
            "leadscore_feature_lag_seconds",
            "how far scores are behind the facts: stored, live",
            labels=["of"],
        )
        lag.add_metric(["stored"], waited_s)
        lag.add_metric(["live"], behind_s)
        yield lag
        yield _gauge_now("quarantined_facts", "facts that wait to be released", held)
        yield _gauge_now("store_bytes", "size of the store", size_bytes(service.database))
        yield _gauge_now("store_log_bytes", "size of the write-ahead log of a file", log_bytes(service.database))
        free = disk_free_bytes(service.database)
        if free is not None:
            yield _gauge_now("disk_free_bytes", "free space on the disk of the store", free)
        yield from _of_receipts(counts, now)
        if swept is not None:
            yield _gauge_now("sweep_last_timestamp_seconds", "when a sweep last ended", int(swept) / SECOND_US)


def _of_receipts(counts: ReceiptCounts | None, now: int) -> Iterator[Metric]:
    """Yield what the last visit of all leads counted; only the process that holds the lease visits them."""
    if counts is not None:
        age_s = 0 if counts.oldest is None else (now - counts.oldest) / SECOND_US
        yield _gauge_now("receipts", "receipts in the store", counts.stored)
        yield _gauge_now("receipts_last_day", "receipts of the last 24 hours", counts.last_day)
        yield _gauge_now("oldest_receipt_seconds", "age of the oldest receipt", age_s)


def route_of(scope: MutableMapping[str, Any]) -> str:
    """Return the template of the route that took a request, as ``/openapi.json`` has it."""
    return str(getattr(scope.get("route"), "path_format", "none"))


def _forget_dead_processes(folder: Path) -> None:
    """Drop the gauges of processes that have ended: their memory and their requests are no longer there."""
    processes = {int(file.stem.rpartition("_")[2]) for file in folder.glob("gauge_live*.db")}
    for process in processes:
        try:
            with suppress(PermissionError):  # it runs
                os.kill(process, 0)
        except ProcessLookupError:
            mark_process_dead(process, str(folder))  # type: ignore[no-untyped-call]


def _build_info(service: Service) -> Metric:
    scorer = service.active_scorer.current.scorer.id
    labels = {
        "version": version("leadscore"),
        "python": platform.python_version(),
        "store": service.database.dialect,
        "scorer": f"{scorer.kind} {scorer.name} {scorer.version}",
        "fingerprint": scorer.fingerprint,
    }
    metric = GaugeMetricFamily("leadscore_build_info", "what runs here", labels=list(labels))
    metric.add_metric(list(labels.values()), 1)
    return metric


def _gauge_now(name: str, description: str, value: float) -> Metric:
    return GaugeMetricFamily(f"leadscore_{name}", description, value=value)


def _counter(registry: CollectorRegistry, name: str, description: str) -> Counter:
    return Counter(f"leadscore_{name}", description, registry=registry)


def _gauge(registry: CollectorRegistry, name: str, description: str, mode: Any) -> Gauge:
    return Gauge(f"leadscore_{name}", description, registry=registry, multiprocess_mode=mode)


def _resident_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - a path object costs more than the read
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
