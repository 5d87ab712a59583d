"""What a process counts, for Prometheus. Label values are names from the contracts and codes, never data."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from services.chassis.tally import Calls

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MOST_NAMES = 500
"""Label values that a process shows; what comes later counts as "other", so that no peer can flood it."""

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)

# The last bound is the five seconds within which every request is answered.
_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

Metric = TypeVar("Metric", Counter, Gauge, Histogram)


def _counter(name: str, text: str, *labels: str) -> Counter:
    return Counter(f"concordat_{name}", text, labels, registry=REGISTRY)


def _gauge(name: str, text: str, *labels: str) -> Gauge:
    return Gauge(f"concordat_{name}", text, labels, registry=REGISTRY)


def _seconds(name: str, text: str, *labels: str) -> Histogram:
    return Histogram(f"concordat_{name}_seconds", text, labels, buckets=_BOUNDS, registry=REGISTRY)


_calls = Calls(_BOUNDS)
REGISTRY.register(_calls)
_calls_expired = _counter("calls_expired_total", "Calls whose caller had given up: not run.", "method")
_link_up = _gauge("link_up", "1 while the broker connection is up.", "link")
_dead = _counter("dead_letters_total", "Messages put aside for an operator.", "queue", "reason")

_requests = _counter("http_requests_total", "HTTP requests answered, by route and status.", "route", "status")
_request_time = _seconds("http_request", "Time of an HTTP request, by route.", "route")

_relayed = _counter("events_relayed_total", "Events that the broker confirmed.", "type")
_relay_failures = _counter("relay_failures_total", "Events returned, refused or not confirmed.", "reason")
_outbox_lag = _gauge("outbox_lag_seconds", "Age of the oldest event not yet confirmed.")
_events = _counter("events_total", "Events received, by what became of them.", "source", "outcome")
_event_time = _seconds("event", "Time from an event's making to its stored effect.", "source")
_gaps = _counter("event_gaps_total", "Missing events skipped after the set time.", "source")

_records = _counter("records_total", "Records taken off the intake, by what became of them.", "outcome")
_record_time = _seconds("record", "Time from an act to its record's place in the log.")
_records_late = _counter("records_late_total", "Records that were in the log later than promised.")
_records_missing = _counter("records_missing_total", "Numbers of a publisher that never arrived.", "service")

_silent = _counter(
    "publishers_silent_total", "Processes that stopped recording without saying so.", "service"
)
_log_damaged = _counter("log_damaged_total", "Reads that found a part of the signed log missing.")
_log_conflicts = _counter("log_conflicts_total", "Checkpoints of the log's that are not of its one history.")

_hub_gap = _gauge("hub_gap_seconds", "Longest time since the last scrape in which nothing could run.")


def call_served(method: str, code: str, seconds: float | None = None) -> None:
    """A call was answered here with `code` ("ok" or an error's)."""
    _count_call("served", method, code, seconds)


def call_made(method: str, code: str, seconds: float | None = None) -> None:
    """A call to another service ended with `code` ("ok" or an error's)."""
    _count_call("made", method, code, seconds)


def call_expired(method: str) -> None:
    """A call arrived after its deadline and was not run."""
    _child(_calls_expired, _bounded(method)).inc()


def request_answered(route: str, status: str, seconds: float) -> None:
    """An HTTP request was answered. `route` is the method and the route's template, never a path."""
    _child(_requests, _bounded(route), status).inc()
    _child(_request_time, _bounded(route)).observe(seconds)


def link_up(link: str, up: bool) -> None:
    _link_up.labels(link).set(up)


def dead_lettered(queue: str, reason: str) -> None:
    _dead.labels(_bounded(queue), _bounded(reason)).inc()


def event_relayed(event_type: str) -> None:
    _child(_relayed, event_type).inc()


def relay_failed(reason: str) -> None:
    _relay_failures.labels(_bounded(reason)).inc()


def outbox_lag(seconds: float) -> None:
    _outbox_lag.set(seconds)


def event_received(source: str, outcome: str) -> None:
    """`outcome`: applied, duplicate, early, late, retried, conflict."""
    _child(_events, _bounded(source), _bounded(outcome)).inc()


def event_applied(source: str, seconds: float) -> None:
    """An event's effect was stored `seconds` after the event was made."""
    event_received(source, "applied")
    _child(_event_time, _bounded(source)).observe(seconds)


def gap_skipped(source: str) -> None:
    """A missing event was given up; an operator MUST look at it."""
    _gaps.labels(_bounded(source)).inc()


def records_taken(outcome: str, count: int) -> None:
    """`outcome`: logged, duplicate."""
    _child(_records, outcome).inc(count)


def publisher_silent(service: str) -> None:
    """A process says nothing any more and never said that it ended: its last records may be lost."""
    _silent.labels(_bounded(service)).inc()


def log_conflict() -> None:
    """Somebody brought a checkpoint that the log signed and has no longer; an operator MUST look at it."""
    _log_conflicts.inc()


def log_damaged() -> None:
    """A part of the log is missing; an operator MUST run `concordat audit fsck`."""
    _log_damaged.inc()


def record_logged(seconds: float, *, late: bool) -> None:
    """A record was in the log `seconds` after its act; `late`: an operator MUST look at why."""
    _record_time.observe(seconds)
    if late:
        _records_late.inc()


def records_missing(service: str, count: int) -> None:
    """The broker confirmed records that never arrived; an operator MUST look at it."""
    _records_missing.labels(_bounded(service)).inc(count)


def render() -> bytes:
    """The text that `/metrics` answers with. Starts a new window for the longest hub gap."""
    text = generate_latest(REGISTRY)
    _hub_gap.set(0)
    return text


def watch_hub(sleep: Callable[[float], None], *, interval: float = 0.05) -> None:
    """Measure for ever by how much a sleep is overslept: the time in which some code did not give way.

    For a greenlet of its own, with the hub's sleep.
    """
    while True:
        began = time.monotonic()
        sleep(interval)
        hub_gap_seen(time.monotonic() - began - interval)


def hub_gap_seen(seconds: float) -> None:
    """Keep the longest of a scrape's window."""
    if seconds > longest_hub_gap():
        _hub_gap.set(seconds)


def longest_hub_gap() -> float:
    """Seconds."""
    return next(iter(_hub_gap.collect())).samples[0].value


def _count_call(side: str, method: str, code: str, seconds: float | None) -> None:
    _calls.count(side, _bounded(method), _bounded(code), seconds)


_names: set[str] = set()


def _bounded(name: str) -> str:
    if name in _names:
        return name
    if len(_names) >= MOST_NAMES:
        return "other"
    _names.add(name)
    return name


@lru_cache(maxsize=4 * MOST_NAMES)
def _child(metric: Metric, *labels: str) -> Metric:
    return metric.labels(*labels)
