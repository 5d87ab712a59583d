"""`make bench-rpc`: our calls beside bare py-amqp, stock nameko and FastStream, alternating in one run.

Every contender echoes one text. Our calls are sealed and carry a deadline, one pydantic model, and a signed
caller, which the service verifies. CPU is that of the client and the server together; the broker's is
nobody's. "stock nameko" is a nameko service calling another with `RpcProxy`.
"""

from __future__ import annotations

import os
import signal
import sys

from tests.bench.figures import Report
from tests.bench.place import operator_url, place
from tests.bench.processes import Contender, Score, Stage
from tests.bench.rounds import Scores, alternate
from tests.bench.table import show, show_figures
from tests.bench.turns import Turn
from tests.cell import Parts

BARE, GREEN, AIO = "bare py-amqp", "chassis, greenlets", "chassis, asyncio"
STOCK, STANDALONE, FASTSTREAM = "stock nameko", "stock nameko, standalone", "FastStream"
SERIAL, MANY = 1, 20

SHORT = os.environ.get("SHORT") == "1"
ROUNDS, SECONDS = (2, 0.5) if SHORT else (5, 1.5)

_ECHOES = "tests.bench.contenders"


def rate(score: Score) -> float:
    return score.rate


def cpu(score: Score) -> float:
    return score.cpu_per_call


def p50(score: Score) -> float:
    return score.played.p50


def p99(score: Score) -> float:
    return score.played.p99


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that all that was started is stopped
    report = Report("bench-rpc")
    with place() as parts, Stage() as stage:
        contenders = _contenders(stage, parts)
        scores = alternate(contenders, [Turn(SERIAL, SECONDS), Turn(MANY, SECONDS)], ROUNDS)
    for outstanding in (SERIAL, MANY):
        _show(scores, outstanding)
    _judge(report, scores)
    show_figures(report)
    print(report.write())
    return 0


def _contenders(stage: Stage, parts: Parts) -> list[Contender]:
    bare, stock, fast = (f"{_ECHOES}.{name}" for name in ("bare", "stock", "faststream_echo"))
    operator, gateway, keys = operator_url(parts), parts.rabbitmq_url("gateway"), str(parts.keys_dir)
    bare_server = stage.server(bare, "server", operator)
    stock_server = stage.server(stock, "server", operator)
    fast_server = stage.server(fast, "server", operator)
    chassis_server = stage.server(
        "services.chassis.runner",
        f"{_ECHOES}.chassis_service:EchoService",
        CONCORDAT_WORKERS=str(MANY),
        CONCORDAT_LOG_LEVEL="warning",
        **parts.environment("echo"),
    )
    contenders = [
        Contender(BARE, stage.player(bare, "client", operator), [bare_server]),
        Contender(GREEN, stage.player(f"{_ECHOES}.chassis_green", gateway, keys), [chassis_server]),
        Contender(AIO, stage.player(f"{_ECHOES}.chassis_aio", gateway, keys), [chassis_server]),
        Contender(STOCK, stage.player(stock, "client", operator), [stock_server]),
        Contender(STANDALONE, stage.player(stock, "standalone", operator), [stock_server]),
        Contender(FASTSTREAM, stage.player(fast, "client", operator), [fast_server]),
    ]
    for contender in contenders:
        contender.player.wait_ready()
    return contenders


def _show(scores: Scores, outstanding: int) -> None:
    names = [name for name, many in scores.of if many == outstanding]
    show(
        "one call at a time" if outstanding == SERIAL else f"{outstanding} calls outstanding",
        ("", "calls/s", "p50 ms", "p99 ms", "CPU µs/call", "of bare", "CPU of bare", "of stock"),
        [_row(scores, name, outstanding) for name in names],
    )


def _row(scores: Scores, name: str, outstanding: int) -> tuple[str, ...]:
    return (
        name,
        f"{scores.median(name, outstanding, rate):,.0f}",
        f"{scores.median(name, outstanding, p50) * 1e3:.2f}",
        f"{scores.median(name, outstanding, p99) * 1e3:.2f}",
        f"{scores.median(name, outstanding, cpu) * 1e6:,.0f}",
        f"{scores.ratio(name, BARE, outstanding, rate):.2f}",
        f"{scores.ratio(name, BARE, outstanding, cpu):.2f}",
        f"{scores.ratio(name, STOCK, outstanding, rate):.1f}",
    )


def _judge(report: Report, scores: Scores) -> None:
    for name, outstanding in scores.of:
        what = f"{name}, {outstanding} outstanding"
        report.add(f"{what}: throughput", scores.median(name, outstanding, rate), "calls/s")
        report.add(f"{what}: p50", scores.median(name, outstanding, p50) * 1e3, "ms")
        report.add(f"{what}: p99", scores.median(name, outstanding, p99) * 1e3, "ms")
        report.add(f"{what}: CPU", scores.median(name, outstanding, cpu) * 1e6, "µs/call")
    for name in (GREEN, AIO):
        _compare(report, scores, name, SERIAL, None, None, None)
        _compare(report, scores, name, MANY, ">= 0.7", "<= 1.7", ">= 10")
    for outstanding in (SERIAL, MANY):
        bound = scores.ratio(BARE, STOCK, outstanding, rate)
        report.add(f"{BARE}, {outstanding} outstanding: throughput of {STOCK}", bound, "times")


def _compare(report: Report, scores: Scores, name: str, outstanding: int, *targets: str | None) -> None:
    what = f"{name}, {outstanding} outstanding"
    of_bare, cpu_of_bare, of_stock = targets
    report.add(f"{what}: throughput of {BARE}", scores.ratio(name, BARE, outstanding, rate), "times", of_bare)
    report.add(f"{what}: CPU of {BARE}", scores.ratio(name, BARE, outstanding, cpu), "times", cpu_of_bare)
    speed = scores.ratio(name, STOCK, outstanding, rate)
    report.add(f"{what}: throughput of {STOCK}", speed, "times", of_stock)


if __name__ == "__main__":
    sys.exit(main())
