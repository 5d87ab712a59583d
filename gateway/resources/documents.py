"""`/openapi.json` and `/asyncapi.json`: made once, when they are first asked for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import falcon.asgi


class Document:
    """One document as JSON. Anybody may read it: it says nothing of anybody."""

    def __init__(self, make: Callable[[], dict[str, Any]]) -> None:
        self._make = make
        self._made: asyncio.Task[bytes] | None = None

    async def on_get(self, _req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        if self._made is None:
            self._made = asyncio.ensure_future(asyncio.to_thread(self._bytes))
        resp.content_type = "application/json"
        resp.set_header("Cache-Control", "public, max-age=300")
        resp.data = await asyncio.shield(self._made)

    def _bytes(self) -> bytes:
        return json.dumps(self._make(), ensure_ascii=False).encode()
