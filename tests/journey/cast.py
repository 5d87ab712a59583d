"""Who plays in the journey: the log-ins and ids that `make demo` wrote down."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.demo.api import Api


@dataclass(frozen=True)
class Cast:
    """`.run/demo.json`, as other people's programs read it."""

    url: str
    users: tuple[dict[str, Any], ...]
    clients: tuple[dict[str, Any], ...]

    @classmethod
    def read(cls, file: Path) -> Cast:
        found = json.loads(file.read_text(encoding="utf-8"))
        return cls(found["base_url"], tuple(found["users"]), tuple(found["clients"]))

    def user(self, agency: str, role: str, number: int = 0) -> dict[str, Any]:
        """The `number`th user of an agency with a role."""
        fitting = [one for one in self.users if one["agency"] == agency and role in one["roles"]]
        return fitting[number]

    def sign_in(self, user: dict[str, Any]) -> Api:
        return Api(self.url).sign_in(user["username"], user["password"])
