"""A broker and a database that run elsewhere, named by the operator; the launcher then starts none of its
own.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from deploy.launcher import credentials
from deploy.launcher.places import Places
from deploy.launcher.trouble import Trouble

_FILE = "given.json"
_PATIENCE = 2.0


@dataclass(frozen=True)
class Given:
    """URLs of accounts that may make users. Secret."""

    rabbitmq_url: str | None = None
    rabbitmq_api: str | None = None
    """The management API; by default port 15672 of the broker's host."""
    mongo_url: str | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Given:
        return cls(
            environment.get("RABBITMQ_URL") or None,
            environment.get("RABBITMQ_API") or None,
            environment.get("MONGO_URL") or None,
        )

    def check(self) -> None:
        """Before anything is started: somebody accepts connections there. Raises Trouble."""
        named = ("RABBITMQ_URL", self.rabbitmq_url, 5672), ("MONGO_URL", self.mongo_url, 27017)
        for name, url, port in named:
            if url and not any(_accepts(host, port) for host in hosts(url)):
                raise Trouble(
                    f"Nothing answers at {', '.join(hosts(url))}, which {name} names. "
                    f"Start it, correct {name}, or unset it to have a private one."
                )

    def save(self, places: Places) -> None:
        credentials.write(places.secrets / _FILE, json.dumps(asdict(self)))

    @classmethod
    def load(cls, places: Places) -> Given:
        file = places.secrets / _FILE
        return cls(**json.loads(file.read_text(encoding="utf-8"))) if file.exists() else cls()


def hosts(url: str) -> list[str]:
    """host or host:port of each server that a URL, or a list of URLs, names; without the credentials."""
    authorities = [one.partition("://")[2].partition("/")[0] for one in url.split(",") if "://" in one]
    if len(authorities) == 1:  # one URL with several servers, as MongoDB writes it
        authorities = [url.partition("://")[2].partition("/")[0]]
    return [host for one in authorities for host in one.rpartition("@")[2].split(",") if host]


def _accepts(host: str, port: int) -> bool:
    name, _, given = host.partition(":")
    try:
        with socket.create_connection((name, int(given or port)), timeout=_PATIENCE):
            return True
    except (OSError, ValueError):
        return False
