"""`POST /searches`, asked of whoever holds the things that are looked for."""

from __future__ import annotations

import falcon.asgi
import msgspec

from gateway import answers, bodies
from gateway.asking import Asking
from gateway.searching import SearchBody


class Searches:
    def __init__(self, asking: Asking, body_limit: int) -> None:
        self._asking, self._limit = asking, body_limit

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        self._asking.sessions.token(req)
        service, method, request = (await bodies.read(req, SearchBody, self._limit)).asked()
        answers.write(req, resp, await self._asking.ask(req, service, method, request, msgspec.Raw))
