"""What each request gets at the door: an id, a deadline, its trace; and what each answer carries away."""

from __future__ import annotations

import re
import time
import uuid
from typing import Any

import falcon.asgi
from falcon.constants import COMBINED_METHODS

from services.chassis import context, metrics, tracing
from services.chassis.context import Context
from services.chassis.deadline import Deadline
from services.chassis.tracing import HEADER

_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""On every answer; a page of the web client says its own policy over it."""
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class Requests:
    """Runs first. A client's own request id is kept if it looks like one: both sides can find the request."""

    def __init__(self, seconds: float, *, secure: bool = False) -> None:
        self._seconds = seconds
        self._headers = dict(_HEADERS)
        if secure:
            self._headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"

    async def process_request(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        given, trace = req.get_header("X-Request-Id") or "", req.get_header(HEADER) or ""
        span = tracing.span("request", trace if _TRACEPARENT.fullmatch(trace) else None)
        serving = Context(
            request_id=given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex,
            deadline=Deadline.after(self._seconds),
            traceparent=span.__enter__(),
        )
        context.enter(serving)
        req.context.span = span
        req.context.began = time.perf_counter()
        resp.set_header("X-Request-Id", serving.request_id)
        resp.set_headers(self._headers)

    async def process_response(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, _resource: Any, _succeeded: bool
    ) -> None:
        """The label is the route's template: a path could name a case, and a method be anything."""
        req.context.span.__exit__(None, None, None)
        if _has_more(req):
            resp.set_header("Connection", "close")
        method = req.method if req.method in COMBINED_METHODS else "OTHER"
        metrics.request_answered(
            f"{method} {req.uri_template or 'unrouted'}",
            str(resp.status_code),
            time.perf_counter() - req.context.began,
        )


def _has_more(req: falcon.asgi.Request) -> bool:
    """A body that was refused unread. The server then ends the connection, and says so (RFC 9112, 9.6): a
    client that sent its next request on it would not know whether that was heard."""
    has_body = req.get_header("Content-Length") not in (None, "0") or req.get_header("Transfer-Encoding")
    return bool(has_body) and not req.stream.eof
