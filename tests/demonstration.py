"""The whole system with the demonstration's partnership in it, in a temporary folder, gone afterwards."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from deploy import demo
from tests.cell import running

WHOLE = {"sharing": 1, "cases": 1, "audit": 1, "notify": 1, "gateway": 1}


@dataclass(frozen=True)
class Demonstration:
    """`document` is what `make demo` writes for other people's programs."""

    url: str
    document: dict[str, Any]

    def password(self, username: str) -> str:
        return next(one["password"] for one in self.document["users"] if one["username"] == username)


@contextlib.contextmanager
def demonstrating() -> Iterator[Demonstration]:
    """It takes about half a minute to be there."""
    with running(WHOLE, environment=demo.ENVIRONMENT) as cell:
        demo.fill(cell, 0, lambda _: None)
        document = json.loads((cell.places.root / demo.FILE).read_text(encoding="utf-8"))
        yield Demonstration(document["base_url"], document)
