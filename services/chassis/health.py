"""What a process says of itself over HTTP: `/livez` (the hub turns), `/readyz` (send it work), `/metrics`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from services.chassis import metrics
from services.chassis.logs import log

Check = Callable[[], bool]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]

_JSON = "application/json"


class Health:
    """The named conditions under which this process is ready.

    A check MUST answer at once from what is known: it looks at a flag, it does not call anybody. One that
    raises counts as failing.
    """

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}
        self._draining = False

    def add(self, name: str, check: Check) -> None:
        self._checks[name] = check

    def drain(self) -> None:
        """Not ready from now on: the process is stopping."""
        self._draining = True

    def failing(self) -> list[str]:
        """The names of the conditions that do not hold."""
        down = [name for name, check in self._checks.items() if not _holds(check)]
        return [*down, "draining"] if self._draining else down

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """WSGI."""
        status, kind, body = self._answer(environ.get("REQUEST_METHOD", ""), environ.get("PATH_INFO", ""))
        start_response(
            status,
            [("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")],
        )
        return [body]

    def _answer(self, method: str, path: str) -> tuple[str, str, bytes]:
        if method not in {"GET", "HEAD"}:
            return "405 Method Not Allowed", _JSON, _json({"status": "method_not_allowed"})
        if path == "/livez":
            return "200 OK", _JSON, _json({"status": "alive"})
        if path == "/readyz":
            failing = self.failing()
            if failing:
                return "503 Service Unavailable", _JSON, _json({"status": "not_ready", "failing": failing})
            return "200 OK", _JSON, _json({"status": "ready"})
        if path == "/metrics":
            return "200 OK", metrics.CONTENT_TYPE, metrics.render()
        return "404 Not Found", _JSON, _json({"status": "not_found"})


process = Health()
"""The readiness of this process."""


def ready_when(name: str, check: Check) -> None:
    """Add a condition to this process's readiness; see `Health` for what a check may do."""
    process.add(name, check)


class HealthServer:
    """Serves a `Health` on eventlet: 16 clients at once, each cut off after 5 s of silence."""

    def __init__(self, health: Health, host: str, port: int) -> None:
        import eventlet  # only here: the gateway has conditions too, and no greenlets
        from eventlet import wsgi

        self._socket = eventlet.listen((host, port))
        self.port: int = self._socket.getsockname()[1]
        self._thread = eventlet.spawn(
            wsgi.server,
            self._socket,
            health,
            log_output=False,
            max_size=16,
            keepalive=False,
            socket_timeout=5,
            debug=False,
        )
        log.info("health_listening", host=host, port=self.port)

    def stop(self) -> None:
        self._thread.kill()
        self._socket.close()


def _holds(check: Check) -> bool:
    try:
        return check()
    except Exception as error:
        log.warning("check_raised", exc_info=error)
        return False


def _json(told: dict[str, Any]) -> bytes:
    return json.dumps(told).encode()
