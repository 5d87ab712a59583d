"""`/livez`, `/readyz`, `/metrics`: at the root, for operators."""

from __future__ import annotations

import falcon
import falcon.asgi

from services.chassis import metrics
from services.chassis.aio import AsyncCalls


class Live:
    async def on_get(self, _req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        resp.media = {"status": "alive"}


class Ready:
    """Ready is: connected to the broker, and the broker takes messages."""

    def __init__(self, calls: AsyncCalls) -> None:
        self._calls = calls

    async def on_get(self, _req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        if self._calls.ready:
            resp.media = {"status": "ready"}
            return
        resp.status = falcon.HTTP_503
        resp.set_header("Retry-After", "1")
        resp.media = {"status": "not_ready", "failing": ["broker"]}


class Metrics:
    async def on_get(self, _req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        resp.content_type = metrics.CONTENT_TYPE
        resp.data = metrics.render()
