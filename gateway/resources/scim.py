"""`/scim/v2`: an agency's identity system disables the accounts of who leaves. It makes nobody."""

from __future__ import annotations

import functools
import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import falcon.asgi
import msgspec

from gateway import bodies
from gateway.asking import Asking
from gateway.operations import if_match
from gateway.scim import reading, shapes
from gateway.scim.shapes import ScimRefusal
from gateway.web.requests import asked
from services.chassis import context
from services.contracts.errors import ConcordatError, NotVisible
from services.contracts.messages import Request
from services.contracts.sharing.provisioning import (
    ChangeProvisioned,
    ChangesOfProvisioned,
    GetProvisioned,
    ListProvisioned,
    RemoveProvisioned,
)

_KINDS = frozenset({shapes.MEDIA_TYPE, bodies.JSON})
BASE = "/api/v1/scim/v2"
"""Of locations, relative to the host: the client knows what it has called (RFC 3986, section 4.2)."""
_UNINVITED = "People are invited by their agency's administrators. Nobody is made here."
Responder = Callable[..., Awaitable[None]]


def _in_scim(respond: Responder) -> Responder:
    """What goes wrong is said as SCIM says it."""

    @functools.wraps(respond)
    async def responder(self: Scim, req: falcon.asgi.Request, resp: falcon.asgi.Response, **ids: Any) -> None:
        try:
            self.asking.sessions.token(req)  # who shows no session at all learns nothing about the rest
            await respond(self, req, resp, **ids)
        except (ConcordatError, ScimRefusal) as problem:
            serving = context.current()
            resp.status, resp.data = shapes.refused(problem, serving.request_id if serving else "")
            resp.content_type = shapes.MEDIA_TYPE
            if resp.status == 401:
                resp.set_header("WWW-Authenticate", 'Bearer realm="concordat"')
            if isinstance(problem, ConcordatError) and problem.retry_after is not None:
                resp.set_header("Retry-After", str(problem.retry_after))

    return responder


class Scim:
    """All its paths: each responder is one method of one of them."""

    def __init__(self, asking: Asking, body_limit: int) -> None:
        self.asking, self._limit = asking, body_limit

    @_in_scim
    async def on_list(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """`GET /Users`, with a filter or without."""
        wanted = reading.sought(req.get_param("filter"))
        start, count = reading.span(req.get_param("startIndex"), req.get_param("count"))
        request = asked(ListProvisioned, **wanted, start=start, count=count)
        found = await self._ask(req, "list_provisioned", request)
        users = [shapes.user(one, BASE) for one in found["items"]]
        _write(resp, shapes.page(users, found["total"], start))

    @_in_scim
    async def on_create(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        """`POST /Users`: refused. Who is here already is a conflict, so that the system looks for the
        person."""
        given = reading.body(await self._body(req))
        name = next((value for key, value in given.items() if key.lower() == "username"), None)
        if not isinstance(name, str) or not name:
            raise ScimRefusal(400, "userName is missing.", "invalidValue")
        found = await self._ask(req, "list_provisioned", asked(ListProvisioned, username=name, count=0))
        if found["total"]:
            raise ScimRefusal(409, "There is such a person already.", "uniqueness")
        raise ScimRefusal(403, _UNINVITED)

    @_in_scim
    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, person_id: str) -> None:
        """`GET /Users/{id}`."""
        _write_user(resp, await self._of(req, "get_provisioned", GetProvisioned, user_id=person_id))

    @_in_scim
    async def on_put(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, person_id: str) -> None:
        """`PUT /Users/{id}`."""
        await self._change(req, resp, person_id, reading.whole(reading.body(await self._body(req))))

    @_in_scim
    async def on_patch(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, person_id: str) -> None:
        """`PATCH /Users/{id}`."""
        await self._change(req, resp, person_id, reading.operations(reading.body(await self._body(req))))

    @_in_scim
    async def on_delete(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, person_id: str) -> None:
        """`DELETE /Users/{id}`."""
        await self._of(req, "remove_provisioned", RemoveProvisioned, key=_key(), user_id=person_id)
        resp.status = 204

    @_in_scim
    async def on_config(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        await self._static(req, resp, shapes.config)

    @_in_scim
    async def on_resource_types(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        await self._static(req, resp, shapes.resource_types)

    @_in_scim
    async def on_schemas(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        await self._static(req, resp, shapes.schemas)

    async def _change(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, person_id: str, changes: dict[str, Any]
    ) -> None:
        found = await self._of(
            req,
            "change_provisioned",
            ChangeProvisioned,
            key=_key(),
            user_id=person_id,
            if_match=_tag(req),
            changes=ChangesOfProvisioned.model_validate(changes),
        )
        _write_user(resp, found)

    async def _static(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, make: Callable[[str], shapes.Body]
    ) -> None:
        await self.asking.identify(req, "sharing", "list_provisioned")
        _write(resp, make(BASE))

    async def _of(
        self,
        req: falcon.asgi.Request,
        method: str,
        model: type[Request],
        *,
        key: str | None = None,
        **ids: Any,
    ) -> dict[str, Any]:
        try:
            request = asked(model, **ids)
        except NotVisible:
            await self.asking.identify(req, "sharing", method)
            raise
        return await self._ask(req, method, request, key)

    async def _ask(
        self, req: falcon.asgi.Request, method: str, request: Request, key: str | None = None
    ) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            bytes(await self.asking.ask(req, "sharing", method, request, msgspec.Raw, key=key))
        )
        return found

    async def _body(self, req: falcon.asgi.Request) -> bytes:
        return await bodies.read_bytes(req, self._limit, kinds=_KINDS)


def _tag(req: falcon.asgi.Request) -> str | None:
    found = if_match(req, required=False)
    return None if found == "*" else found


def _key() -> str:
    """Each of its requests is a command of its own, and harmless when it is given twice."""
    return uuid.uuid4().hex


def _write(resp: falcon.asgi.Response, body: shapes.Body) -> None:
    resp.content_type = shapes.MEDIA_TYPE
    resp.data = json.dumps(body).encode()


def _write_user(resp: falcon.asgi.Response, found: dict[str, Any]) -> None:
    body = shapes.user(found, BASE)
    resp.set_header("ETag", body["meta"]["version"])
    resp.set_header("Content-Location", body["meta"]["location"])
    _write(resp, body)
