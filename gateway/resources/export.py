"""`GET /audit/export`: the log as JSON lines, page by page; each page is identified anew and recorded."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import falcon.asgi

from gateway.asking import Asking
from gateway.sessions import Place
from services.chassis import context
from services.chassis.context import Context
from services.chassis.deadline import Deadline
from services.chassis.logs import log
from services.contracts.audit import ExportEntries, ExportPage
from services.contracts.errors import ConcordatError, Unavailable

MEDIA_TYPE = "application/x-ndjson"
_TRIES_FOR = 15.0
"""Seconds within which a page is asked for again while a part is down. An export that breaks off has no last
line, so a verifier sees that it is not whole."""


class Exports:
    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        token, place = self._asking.sessions.token(req), self._asking.sessions.place(req)
        serving = context.current()
        assert serving is not None
        export = _Export(self._asking, token, place, serving.request_id)
        first = await export.page(None)  # whoever may not is told so before the first byte
        if first.disclosed is not None:
            resp.set_header("Consultation", first.disclosed.entry_id)
            resp.set_header("Inclusion-By", first.disclosed.by.isoformat().replace("+00:00", "Z"))
        resp.content_type = MEDIA_TYPE
        resp.set_header("Content-Disposition", 'attachment; filename="concordat-log.jsonl"')
        resp.stream = export.rest(first)


class _Export:
    def __init__(self, asking: Asking, token: str, place: Place, request_id: str) -> None:
        self._asking, self._token, self._place, self._request_id = asking, token, place, request_id
        self._pages = 0

    async def rest(self, page: ExportPage) -> AsyncIterator[bytes]:
        """The lines of a page and of all that follow. Breaks off when a page is refused."""
        while True:
            yield "".join(f"{line}\n" for line in page.lines).encode()
            if page.next is None:
                return
            try:
                page = await self._patiently(page.next)
            except ConcordatError as problem:
                log.info("export_broken_off", code=problem.code, reason=problem.cause)
                # Not a proper end: the connection is cut, so that no client takes this for the whole.
                raise ExportBrokenOff from None

    async def page(self, cursor: str | None) -> ExportPage:
        self._pages += 1
        request = ExportEntries() if cursor is None else ExportEntries(cursor=cursor)
        serving = Context(f"{self._request_id}-{self._pages}", Deadline.after(4.0))
        with context.use(serving):
            found: ExportPage = await self._asking.ask_as(
                self._token, "audit", "export_entries", request, ExportPage, place=self._place
            )
        return found

    async def _patiently(self, cursor: str) -> ExportPage:
        give_up = time.monotonic() + _TRIES_FOR
        while True:
            try:
                return await self.page(cursor)
            except Unavailable:
                if time.monotonic() > give_up:
                    raise


class ExportBrokenOff(Exception):
    """The export could not be finished."""
