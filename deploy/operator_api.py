"""RabbitMQ's management HTTP API, as far as set-up and the operator's commands need it."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

from services.chassis.topology import VHOST


class ApiTrouble(Exception):
    """The broker's management API refused or did not answer; the text holds no secret."""


@dataclass(frozen=True)
class OperatorApi:
    """`url` is the API's root without credentials, such as http://127.0.0.1:15672."""

    url: str
    user: str
    password: str

    def answers(self) -> bool:
        try:
            self.call("GET", "whoami", timeout=2)
        except ApiTrouble:
            return False
        return True

    def import_definitions(self, document: dict[str, Any]) -> None:
        """Declare what is not there yet. Safe to repeat."""
        self.call("POST", "definitions", document, timeout=60)

    def queues(self) -> list[dict[str, Any]]:
        """The queues of our vhost, with their figures of some seconds ago."""
        found: list[dict[str, Any]] = self.call("GET", f"queues/{VHOST}")
        return found

    def running_nodes(self) -> list[str]:
        return [node["name"] for node in self.call("GET", "nodes") if node.get("running")]

    def alarms(self) -> list[str]:
        """Resources that are short; while there is one the broker takes no messages."""
        return [
            f"{node['name']}: {kind}"
            for node in self.call("GET", "nodes")
            for kind, key in (("memory", "mem_alarm"), ("disk", "disk_free_alarm"))
            if node.get(key)
        ]

    def call(self, method: str, path: str, body: Any = None, *, timeout: float = 10) -> Any:
        """One request. Raises ApiTrouble."""
        request = urllib.request.Request(  # noqa: S310 - the operator names the address
            f"{self.url.rstrip('/')}/api/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Basic {self._credentials()}", "Content-Type": "application/json"},
            method=method,
        )
        try:
            with _DIRECT.open(request, timeout=timeout) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise ApiTrouble(
                f"the management API answered {error.code} to {method} {path}: {_reason(error)}"
            ) from None
        except (OSError, ValueError) as error:
            raise ApiTrouble(
                f"the management API at {self.url} does not answer ({type(error).__name__})"
            ) from None
        return json.loads(text) if text else None

    def _credentials(self) -> str:
        return base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """urllib would send the password on to wherever it is sent."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)
"""Past any proxy that the environment names: the request holds the operator's password."""


def _reason(error: urllib.error.HTTPError) -> str:
    if error.code == 401:
        return "wrong user or password"
    try:
        return str(json.loads(error.read()).get("reason", ""))[:300]
    except (ValueError, OSError, AttributeError):
        return ""
