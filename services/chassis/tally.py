"""Counts and times of calls in plain numbers, shown to Prometheus when it asks.

prometheus_client takes a lock for each number, which under eventlet costs as much as sealing a body. Calls
are counted by the one thread that runs the hub or the loop, so that no lock is needed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector


class Calls(Collector):
    """`concordat_calls_total` by side, method and code; `concordat_call_seconds` by side and method."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self._counts: dict[tuple[str, str, str], int] = {}
        self._times: dict[tuple[str, str], list[float]] = {}

    def count(self, side: str, method: str, code: str, seconds: float | None) -> None:
        """One more. Label values MUST be bounded by the caller."""
        key = (side, method, code)
        self._counts[key] = self._counts.get(key, 0) + 1
        if seconds is not None:
            row = self._times.get((side, method))
            if row is None:
                # one for each bound, one beyond them, the sum
                row = self._times[side, method] = [0] * (len(self._bounds) + 1) + [0.0]
            row[bisect_left(self._bounds, seconds)] += 1
            row[-1] += seconds

    def collect(self) -> Iterator[Metric]:
        counts = CounterMetricFamily(
            "concordat_calls", "Calls, by side (served, made) and outcome.", labels=("side", "method", "code")
        )
        for labels, number in list(self._counts.items()):
            counts.add_metric(labels, number)
        yield counts
        times = HistogramMetricFamily(
            "concordat_call_seconds", "Time of a call, by side.", labels=("side", "method")
        )
        for sides, row in list(self._times.items()):
            times.add_metric(sides, self._buckets(row), row[-1])
        yield times

    def _buckets(self, row: Sequence[float]) -> list[tuple[str, float]]:
        """Cumulative, as Prometheus has them."""
        found, total = [], 0.0
        for bound, number in zip((*map(str, self._bounds), "+Inf"), row, strict=False):
            total += number
            found.append((bound, total))
        return found
