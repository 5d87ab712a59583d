"""Runs one service process: `python -m services.chassis.runner services.echo.service:EchoService`.

Not the `nameko` command, which needs pkg_resources (N0). Patching comes before every other import.
"""

from __future__ import annotations

import os

os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")  # dnspython would take over what PyMongo needs

import eventlet

eventlet.monkey_patch()

import signal
import sys
from importlib import import_module

from eventlet.event import Event
from nameko.runners import ServiceRunner

from services.chassis import health, logs, metrics, tracing
from services.chassis.health import HealthServer
from services.chassis.logs import log
from services.chassis.settings import ServiceSettings

CONTAINER = "services.chassis.container.Container"
DRAIN_SECONDS = 8.0
"""How long a SIGTERM lets running work end: longer than any call's deadline, shorter than the supervisor's
patience."""


def main(path: str) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code."""
    module, _, name = path.partition(":")
    service_cls = getattr(import_module(module), name)
    settings = getattr(service_cls, "settings_model", ServiceSettings)(service=service_cls.name)
    logs.configure(service_cls.name, settings.instance, settings.log_level)
    logs.seal_process()
    tracing.configure(service_cls.name, settings.otlp_endpoint)
    return _serve(service_cls, settings)


def _serve(service_cls: type, settings: ServiceSettings) -> int:
    runner = ServiceRunner({"SERVICE_CONTAINER_CLS": CONTAINER, "settings": settings})
    runner.add_service(service_cls)
    stopping = _stop_signal()
    runner.start()
    server = HealthServer(health.process, settings.http_host, settings.http_port)
    eventlet.spawn(metrics.watch_hub, eventlet.sleep)
    died = eventlet.spawn(_wait, runner, stopping)
    log.info("started", port=server.port)
    signalled = stopping.wait()
    health.process.drain()
    log.info("stopping", signal=signalled)
    with eventlet.Timeout(DRAIN_SECONDS, False):
        runner.stop()
    died.kill()
    server.stop()
    tracing.tracing.stop()
    log.info("stopped")
    return 0 if signalled else 1


def _stop_signal() -> Event:
    stopping = Event()

    def on_signal(number: int, _frame: object) -> None:
        if not stopping.ready():
            stopping.send(number)

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    return stopping


def _wait(runner: ServiceRunner, stopping: Event) -> None:
    """A container that dies takes the process with it: the supervisor starts a whole one."""
    try:
        runner.wait()
    except Exception as problem:
        log.error("container_died", exc_info=problem)
    if not stopping.ready():
        stopping.send(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
