"""A system of its own for a check, a benchmark or a test: started, filled with the demonstration, gone
afterwards. As `make demo` does it, without its command: `tests/integration/test_launcher.py` tries that."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from deploy import demo
from deploy.demo.api import Api
from deploy.launcher.cell import Cell
from services.contracts.directory import SERVICES
from tests.cell import running
from tests.journey.cast import Cast


@dataclass(frozen=True)
class Ground:
    """The cell, and who can log in to it."""

    cell: Cell

    @property
    def cast(self) -> Cast:
        """Who is there, as it was written down last: filled again, the agencies' systems have new secrets."""
        return Cast.read(self.cell.places.root / demo.FILE)

    @property
    def url(self) -> str:
        """Of the first gateway, without a slash at its end."""
        return str(self.cell.url).rstrip("/")

    @property
    def urls(self) -> list[str]:
        """Of every gateway process."""
        named = sorted(name for name in self.cell.ports if name.startswith("gateway-"))
        return [f"http://127.0.0.1:{self.cell.ports[name]}" for name in named]

    @property
    def document(self) -> dict[str, Any]:
        """What `make demo` writes for other people's programs."""
        found: dict[str, Any] = json.loads((self.cell.places.root / demo.FILE).read_text(encoding="utf-8"))
        return found

    def password(self, username: str) -> str:
        return next(str(one["password"]) for one in self.cast.users if one["username"] == username)

    def sign_in(self, agency: str, role: str, number: int = 0) -> Api:
        return self.cast.sign_in(self.cast.user(agency, role, number))


def usual(number: int = 1) -> dict[str, int]:
    """`number` of every service and of the gateway; none of the proving ground."""
    return {name: 0 if shape.proving else number for name, shape in SERVICES.items()}


@contextmanager
def ground(
    counts: Mapping[str, int] | None = None,
    *,
    cluster: bool = False,
    environment: Mapping[str, Mapping[str, str]] | None = None,
    **options: Any,
) -> Iterator[Ground]:
    """`environment` is merged into the demonstration's, by service, instance or "*"."""
    merged = {key: dict(values) for key, values in demo.ENVIRONMENT.items()}
    for key, values in (environment or {}).items():
        merged.setdefault(key, {}).update(values)
    with running(counts or usual(), cluster=cluster, environment=merged, **options) as cell:
        demo.fill(cell, 0, lambda text: None)
        yield Ground(cell)
