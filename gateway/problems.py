"""Every error leaves as a problem document (RFC 9457) with a stable code and no personal data."""

from __future__ import annotations

import json
from typing import Any

import falcon
import falcon.asgi

from gateway.answers import quote
from services.chassis import context
from services.chassis.logs import log
from services.contracts.errors import (
    ConcordatError,
    Internal,
    Malformed,
    MethodNotAllowed,
    NotVisible,
    TooLarge,
    UnsupportedType,
)

MEDIA_TYPE = "application/problem+json"

_FROM_HTTP: dict[int, type[ConcordatError]] = {
    404: NotVisible,
    405: MethodNotAllowed,
    413: TooLarge,
    415: UnsupportedType,
}


def install(app: falcon.asgi.App[falcon.asgi.Request, falcon.asgi.Response]) -> None:
    """Have every exception, Falcon's own too, answered as a problem."""
    app.add_error_handler(Exception, _on_unexpected)
    app.add_error_handler(falcon.HTTPError, _on_http)
    app.add_error_handler(ConcordatError, _on_known)


def write(resp: falcon.asgi.Response, problem: ConcordatError) -> None:
    """Make `resp` the public face of `problem`."""
    serving = context.current()
    resp.status = problem.status
    resp.content_type = MEDIA_TYPE
    resp.data = json.dumps(problem.to_problem(serving.request_id if serving else "")).encode()
    if problem.retry_after is not None:
        resp.set_header("Retry-After", str(problem.retry_after))
    if problem.etag is not None:
        resp.set_header("ETag", quote(problem.etag))
    if problem.status == 429:
        # draft-ietf-httpapi-ratelimit-headers: none left, and for how long
        resp.set_header("RateLimit", f'"default";r=0;t={problem.retry_after}')
    if problem.status == 401:
        resp.set_header("WWW-Authenticate", 'Bearer realm="concordat"')


async def _on_known(
    _req: falcon.asgi.Request, resp: falcon.asgi.Response, problem: ConcordatError, _params: Any
) -> None:
    if problem.status >= 500:
        log.info("unavailable", code=problem.code, reason=problem.cause)
    write(resp, problem)


async def _on_http(
    _req: falcon.asgi.Request, resp: falcon.asgi.Response, problem: falcon.HTTPError, _params: Any
) -> None:
    ours = _FROM_HTTP.get(problem.status_code, Malformed if problem.status_code < 500 else Internal)
    write(resp, ours())
    for name, value in dict(problem.headers or {}).items():
        if name.lower() == "allow":
            resp.set_header(name, value)


async def _on_unexpected(
    _req: falcon.asgi.Request, resp: falcon.asgi.Response, problem: Exception, _params: Any
) -> None:
    log.error("failed", exc_info=problem)
    write(resp, Internal())
