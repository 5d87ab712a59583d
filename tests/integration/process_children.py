"""What the tests of a process's own parts run under eventlet (see tests/eventlet_process.py)."""

from __future__ import annotations

import logging
import sys
import threading
import time
import warnings
from typing import Any

import eventlet
from argon2 import PasswordHasher
from eventlet.green.urllib.error import HTTPError
from eventlet.green.urllib.request import urlopen

from services.chassis import health, logs, metrics, offload, tracing
from services.contracts.errors import Busy
from tests.integration.mongo_children import hub_watched, in_greenlets

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def said_everywhere(name: str) -> None:
    """Let personal data out in every way that a process under eventlet has."""
    logs.configure("echo", "i-1", "info")
    logs.seal_process()

    def fail() -> None:
        raise ValueError(name)

    eventlet.spawn(fail)
    eventlet.spawn_n(fail)
    eventlet.spawn_after(0.01, fail)
    eventlet.sleep(0.05)
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    print(name)
    sys.stderr.write(name)
    warnings.warn(name, stacklevel=1)
    for library in (
        "nameko.containers",
        "amqp.connection.Connection.heartbeat_tick",
        "pymongo.topology",
        "concurrent",
    ):
        said = logging.getLogger(library)
        said.error("cannot serve %s", name)
        said.error(f"cannot serve {name}")
        said.error({"name": name}, extra={"reason": name})
        try:
            fail()
        except ValueError:
            said.exception(f"cannot serve {name}")
            logs.log.exception("failed", reason=name, document={"name": name}, **{name: name})
    logs.log.error(f"cannot serve {name}")
    sys.excepthook(ValueError, ValueError(name), None)
    eventlet.sleep(0.01)


def served(checks: dict[str, bool]) -> dict[str, Any]:
    """Ask a health server over its socket."""
    judged = health.Health()
    for name, holds in checks.items():
        judged.add(name, lambda holds=holds: holds)
    server = health.HealthServer(judged, "127.0.0.1", 0)
    eventlet.spawn(metrics.watch_hub, eventlet.sleep)
    # Longer than the watcher's nap, and nothing else runs meanwhile.
    eventlet.sleep(0.06)
    until = time.monotonic() + 0.3
    while time.monotonic() < until:
        pass
    eventlet.sleep(0.06)
    gaps = [_gap(_ask(server.port, "/metrics")[1]) for _ in range(2)]
    answers = {path: _ask(server.port, path) for path in ("/livez", "/readyz", "/metrics", "/x")}
    many = in_greenlets(40, lambda number: _ask(server.port, "/livez")[0])
    server.stop()
    return {"answers": answers, "gaps": gaps, "many": many}


def _ask(port: int, path: str) -> tuple[int, str]:
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def _gap(page: str) -> float:
    (line,) = [line for line in page.splitlines() if line.startswith("concordat_hub_gap_seconds ")]
    return float(line.split()[1])


def offloaded() -> dict[str, Any]:
    """Six log-ins at once, and long sums, while the hub is watched."""
    stored = offload.hash_password("correct horse")
    outdated = offload.outdated(stored)
    # The rest with a cheaper hash: on a busy machine six real ones take longer than the patience.
    offload._hasher = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
    stored = offload.hash_password("correct horse")
    at_once, most = [0], [0]
    matches = offload._matches

    def counted(*arguments: str) -> bool:
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        try:
            return matches(*arguments)
        finally:
            at_once[0] -= 1

    offload._matches = counted

    def log_in(number: int) -> str:
        try:
            return str(offload.verify_password(stored, "correct horse" if number % 2 else "wrong"))
        except Busy as busy:
            return busy.code

    with hub_watched() as naps:
        log_ins = in_greenlets(6, log_in)
        sums = in_greenlets(4, lambda number: offload.heavy(_slow_sum, 200_000 + number))
    return {
        "log_ins": log_ins,
        "most_at_once": most[0],
        "sums": sums,
        "longest_gap": naps.longest_gap,
        "broken": offload.verify_password("no hash", "x"),
        "outdated": outdated,
    }


def _slow_sum(upto: int) -> int:
    return sum(range(upto))


def crowded() -> dict[str, Any]:
    """More work than there are places for, and what the last one is told and when."""
    import time as real

    narrow = offload.Offload(slots=1, patience=0.1)
    nap = eventlet.patcher.original("time").sleep
    first = eventlet.spawn(narrow.run, nap, 0.5)
    eventlet.sleep(0)
    began = real.monotonic()
    try:
        narrow.run(int)
        code = "ok"
    except Busy as busy:
        code = busy.code
    waited = real.monotonic() - began
    first.wait()
    try:
        narrow.run(lambda: 1 / 0)
    except ZeroDivisionError:
        raised = True
    return {"code": code, "waited": waited, "raised": raised, "afterwards": narrow.run(int)}


def exported() -> dict[str, Any]:
    """Send a span to a collector that keeps what it is sent."""
    from eventlet import wsgi

    received: list[str] = []

    def collector(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        received.append(environ["PATH_INFO"])
        environ["wsgi.input"].read()
        start_response("200 OK", [("Content-Type", "application/x-protobuf")])
        return [b""]

    socket = eventlet.listen(("127.0.0.1", 0))
    eventlet.spawn(wsgi.server, socket, collector, log_output=False)
    tracing.configure("echo", f"http://127.0.0.1:{socket.getsockname()[1]}/v1/traces")
    with tracing.span("echo.say", PARENT) as made:
        passed_on = made
    tracing.tracing.stop()
    return {"received": received, "passed_on": passed_on}
