"""`make bench-events`: from a command acknowledged to its effect elsewhere, beside bare publish and consume.

Ours: a client's command over a sealed call, one transaction (note, key and outcome, outbox), relay with
confirms, the consumer's transaction (position, effect), in order and once whatever happens. Bare: the same
two transactions, a publish with confirm and an acknowledgement, one process each. Notes, queue type,
concurrency and runtime (eventlet) are the same. CPU is that of clients and services; broker and database are
stated apart.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from pymongo import MongoClient

from tests.bench.applied import Effects
from tests.bench.contenders.notes import Acknowledged
from tests.bench.cpu import seconds_used
from tests.bench.figures import Report
from tests.bench.place import operator_url, place
from tests.bench.processes import Player, Stage
from tests.bench.table import show, show_figures
from tests.bench.turns import Turn, quantile
from tests.cell import OPERATOR, Parts

SHORT = os.environ.get("SHORT") == "1"
ROUNDS, SECONDS, PACED_SECONDS = (2, 1.5, 4.0) if SHORT else (5, 3.0, 12.0)
OUTSTANDING, PACE = 20, 50.0
PATIENCE = 30.0

CHASSIS, BARE = "chassis", "bare publish and consume"
_CONTENDERS = "tests.bench.contenders"


@dataclass(frozen=True)
class Score:
    """One turn. Latencies are seconds from acknowledgement to effect, in order of size."""

    events: int
    lost: int
    seconds: float
    latencies: list[float]
    cpu: float
    parts_cpu: float

    @property
    def rate(self) -> float:
        return self.events / self.seconds

    @property
    def cpu_per_event(self) -> float:
        return self.cpu / max(1, self.events)


@dataclass(frozen=True)
class Pipe:
    """A client, the processes that carry its events, and the database where their effects appear."""

    name: str
    player: Player
    pids: Sequence[int]
    parts_pids: Sequence[int]
    database: Any

    def take(self, turn: Turn) -> Score:
        effects = Effects(self.database["applied"])
        pids = [self.player.pid, *self.pids]
        cpu, parts_cpu = seconds_used(pids), seconds_used(self.parts_pids)
        told = Acknowledged(**self.player.play(turn))
        acknowledged = {(note_id, version): at for note_id, version, at in told.changes}
        applied = effects.times(acknowledged.keys(), PATIENCE)
        return Score(
            len(applied),
            len(acknowledged) - len(applied) + told.failed,
            max(applied.values(), default=told.began + PATIENCE) - told.began,
            sorted(at - acknowledged[key] for key, at in applied.items()),
            seconds_used(pids) - cpu,
            seconds_used(self.parts_pids) - parts_cpu,
        )


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that all that was started is stopped
    report = Report("bench-events")
    fast, paced = Turn(OUTSTANDING, SECONDS), Turn(0, PACED_SECONDS, PACE)
    with place({"echo": 1, "mirror": 1}) as parts, Stage() as stage:
        pipes = _pipes(stage, parts)
        for pipe in pipes:
            pipe.take(Turn(OUTSTANDING, 0.5))
        rounds = [
            {pipe.name: pipe.take(fast) for pipe in pipes[:: -1 if number % 2 else 1]}
            for number in range(ROUNDS)
        ]
        slow = {pipe.name: pipe.take(paced) for pipe in pipes}
    _show(rounds, slow)
    _judge(report, rounds, slow)
    show_figures(report)
    print(report.write())
    return 0


def _pipes(stage: Stage, parts: Parts) -> list[Pipe]:
    processes = parts.cell.processes()
    shared = [processes[name].pid for name in ("rabbit", "mongo")]
    client: MongoClient[dict[str, Any]] = MongoClient(parts.mongo_url(OPERATOR), tz_aware=True)
    bare = (operator_url(parts), parts.mongo_url(OPERATOR))
    chassis_player = stage.player(
        f"{_CONTENDERS}.events_chassis", parts.rabbitmq_url("gateway"), str(parts.keys_dir)
    )
    bare_player = stage.player(f"{_CONTENDERS}.events_bare", "producer", *bare)
    consumer = stage.server(f"{_CONTENDERS}.events_bare", "consumer", *bare)
    for player in (chassis_player, bare_player):
        player.wait_ready()
    services = [processes[name].pid for name in ("echo-1", "mirror-1")]
    return [
        Pipe(CHASSIS, chassis_player, services, shared, client["mirror"]),
        Pipe(BARE, bare_player, [consumer.pid], shared, client["bench_bare"]),
    ]


def _show(rounds: list[dict[str, Score]], slow: dict[str, Score]) -> None:
    show(
        f"{OUTSTANDING} changes outstanding, and {PACE:.0f} a second",
        ("", "events/s", "CPU µs/event", "broker+database", "p50 ms", "p99 ms", "at 50/s: p50 ms", "p99 ms"),
        [_row(name, [scores[name] for scores in rounds], slow[name]) for name in slow],
    )


def _row(name: str, fast: list[Score], slow: Score) -> tuple[str, ...]:
    return (
        name,
        f"{median(score.rate for score in fast):,.0f}",
        f"{median(score.cpu_per_event for score in fast) * 1e6:,.0f}",
        f"{median(score.parts_cpu / max(1, score.events) for score in fast) * 1e6:,.0f}",
        *(f"{median(quantile(score.latencies, share) for score in fast) * 1e3:.1f}" for share in (0.5, 0.99)),
        *(f"{quantile(slow.latencies, share) * 1e3:.1f}" for share in (0.5, 0.99)),
    )


def _judge(report: Report, rounds: list[dict[str, Score]], slow: dict[str, Score]) -> None:
    ours, bare = [scores[CHASSIS] for scores in rounds], [scores[BARE] for scores in rounds]
    pairs = list(zip(ours, bare, strict=True))
    speed = median(one.rate / other.rate for one, other in pairs)
    report.add(f"events/s of {BARE}", speed, "times", ">= 0.5")
    report.add("events/s", median(score.rate for score in ours), "events/s", ">= 300")
    latency = quantile(slow[CHASSIS].latencies, 0.99)
    report.add(f"p99 at {PACE:.0f}/s, acknowledged to applied", latency * 1e3, "ms", "<= 100")
    lost = sum(score.lost for score in (*ours, *bare, *slow.values()))
    report.add("not acknowledged, or not applied in time", lost, "events", "== 0")
    cost = median(one.cpu_per_event / other.cpu_per_event for one, other in pairs)
    report.add(f"CPU of {BARE}", cost, "times")
    for name, fast in ((CHASSIS, ours), (BARE, bare)):
        _state(report, name, fast, slow[name])


def _state(report: Report, name: str, fast: list[Score], slow: Score) -> None:
    report.add(f"{name}: throughput", median(score.rate for score in fast), "events/s")
    report.add(f"{name}: CPU", median(score.cpu_per_event for score in fast) * 1e6, "µs/event")
    for label, share in (("p50", 0.5), ("p99", 0.99)):
        loaded = median(quantile(score.latencies, share) for score in fast)
        report.add(f"{name}: {label}, {OUTSTANDING} outstanding", loaded * 1e3, "ms")
        report.add(f"{name}: {label} at {PACE:.0f}/s", quantile(slow.latencies, share) * 1e3, "ms")


if __name__ == "__main__":
    sys.exit(main())
