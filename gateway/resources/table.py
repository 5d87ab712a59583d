"""The resource that the route table drives: read the request, ask the service, write its view down."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import falcon.asgi
import msgspec

from gateway import answers
from gateway.asking import Asking
from gateway.operations import Operation, Reader, Route, Special, UnknownId
from services.contracts.errors import NotVisible

Responder = Callable[..., Awaitable[None]]
_ANYBODY = ("sharing", "list_agencies")
"""What every session in good standing may ask: to find out whether one is."""


class Table:
    """One path. Responders are made from its operations, `specials` take the others by method."""

    def __init__(
        self, route: Route, asking: Asking, body_limit: int, specials: Mapping[str, Responder] | None = None
    ) -> None:
        for verb, entry in route.methods.items():
            if isinstance(entry, Special):
                responder = (specials or {})[verb]
            else:
                responder = _answering(entry, Reader(verb, route.ids, entry, body_limit), asking)
            setattr(self, f"on_{verb.lower()}", responder)
            if verb == "GET" and not isinstance(entry, Special):
                self.on_head = responder


def _answering(operation: Operation, reader: Reader, asking: Asking) -> Responder:
    service, method, status = operation.service, operation.method, operation.status

    async def respond(req: falcon.asgi.Request, resp: falcon.asgi.Response, **path: Any) -> None:
        asking.sessions.token(req)  # who shows no session at all learns nothing about the rest
        key = reader.key(req)
        try:
            request = await reader.read(req, path)
        except UnknownId:
            await asking.identify(req, service, method)
            raise NotVisible from None
        view = await asking.ask(req, service, method, request, msgspec.Raw, key=key)
        answers.write(req, resp, view, status)

    return respond
