"""The proving ground over HTTP: `/api/v1/echo/…`, only where the setting `echo` is on."""

from __future__ import annotations

import falcon
import falcon.asgi
from pydantic import TypeAdapter, ValidationError

from gateway import bodies
from services.chassis.aio import AsyncCalls
from services.contracts import echo
from services.contracts.errors import NotVisible
from services.contracts.messages import Id, Request

_ID = TypeAdapter(Id)


class NewText(Request):
    """The body of a change: the note is named by the path."""

    text: echo.Text


class Sayings:
    def __init__(self, calls: AsyncCalls, body_limit: int) -> None:
        self._calls, self._body_limit = calls, body_limit

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        request = await bodies.read(req, echo.Say, self._body_limit)
        said = await self._calls.call("echo", "say", request, reply=echo.Said)
        resp.media = said.model_dump(mode="json")


class Note:
    def __init__(self, calls: AsyncCalls) -> None:
        self._calls = calls

    async def on_get(self, _req: falcon.asgi.Request, resp: falcon.asgi.Response, note_id: str) -> None:
        request = echo.GetNote(note_id=_named(note_id))
        note = await self._calls.call("echo", "get_note", request, reply=echo.Note)
        resp.media = note.model_dump(mode="json")


class Changes:
    def __init__(self, calls: AsyncCalls, body_limit: int) -> None:
        self._calls, self._body_limit = calls, body_limit

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, note_id: str) -> None:
        key = bodies.idempotency_key(req)
        body = await bodies.read(req, NewText, self._body_limit)
        request = echo.ChangeNote(note_id=_named(note_id), text=body.text)
        version = await self._calls.command("echo", "change_note", request, key=key, reply=echo.NoteVersion)
        resp.status = falcon.HTTP_201
        resp.media = version.model_dump(mode="json")


class Mirror:
    def __init__(self, calls: AsyncCalls) -> None:
        self._calls = calls

    async def on_get(self, _req: falcon.asgi.Request, resp: falcon.asgi.Response, note_id: str) -> None:
        request = echo.AskMirror(note_id=_named(note_id))
        state = await self._calls.call("echo", "ask_mirror", request, reply=echo.MirrorState)
        resp.media = state.model_dump(mode="json")


def _named(note_id: str) -> str:
    """An id that cannot be one names nothing."""
    try:
        return _ID.validate_python(note_id)
    except ValidationError:
        raise NotVisible from None
