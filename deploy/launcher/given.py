"""A broker and a database that run elsewhere, named by the operator; the launcher then starts none of its
own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from deploy.launcher import credentials
from deploy.launcher.places import Places

_FILE = "given.json"


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

    def save(self, places: Places) -> None:
        credentials.write(places.secrets / _FILE, json.dumps(asdict(self)))

    @classmethod
    def load(cls, places: Places) -> Given:
        file = places.secrets / _FILE
        return cls(**json.loads(file.read_text(encoding="utf-8"))) if file.exists() else cls()
