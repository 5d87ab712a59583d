"""`/live`: tells an open page that it should read itself anew. It carries no case data; what the page then
reads is asked for, judged and recorded as any other reading.

A page about a case comes with a pass: proof, for some minutes, that this very session was shown it. Whoever
holds none cannot find out by listening that something happens in a case.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections import Counter
from collections.abc import AsyncIterator

import falcon.asgi
import msgspec
from falcon.asgi import SSEvent

from gateway.asking import Asking
from gateway.changes import Listener, LiveChanges, keys_of, principal_of
from gateway.sessions import Place
from gateway.web.visit import Body, Visit
from services.chassis import context
from services.chassis.context import Context
from services.chassis.deadline import Deadline
from services.chassis.logs import log
from services.contracts.errors import ConcordatError, RateLimited, Unauthenticated
from services.contracts.messages import Request
from services.contracts.notify import CountUnread, StreamItems

GATHER = 0.25
LOOK_EVERY = 10.0
"""Seconds after which a quiet page's session is looked at: one that has ended ends its streams."""
PASS_LIFE = 600
MOST, EACH = 2000, 12
_decode = msgspec.json.decode


def pass_for(visit: Visit, case_id: str | None) -> str | None:
    """Where this page listens. None without a session."""
    token = visit.session_token
    if token is None:
        return None
    if case_id is None:
        return "/live"
    return f"/live?case={case_id}&pass={_pass(token, case_id, int(time.time()))}"


def _pass(token: str, case_id: str, at: int) -> str:
    proof = hmac.digest(token.encode(), f"concordat live 1 {case_id} {at}".encode(), "sha256")
    return f"{at}.{proof.hex()}"


def _holds(token: str, case_id: str, given: str, now: float) -> bool:
    at, _, _ = given.partition(".")
    if not at.isdigit() or len(at) > 12 or not 0 <= now - int(at) <= PASS_LIFE:
        return False
    return hmac.compare_digest(_pass(token, case_id, int(at)).encode(), given.encode("utf-8", "replace"))


class Live:
    """Opens streams for pages."""

    def __init__(self, asking: Asking, changes: LiveChanges) -> None:
        self._asking, self._changes = asking, changes
        self._open: Counter[str] = Counter()

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        token, case_id = self._asking.sessions.token(req), req.get_param("case")
        if case_id is not None and not _holds(token, case_id, req.get_param("pass") or "", time.time()):
            raise Unauthenticated(cause="no pass for this case")
        serving = context.current()
        assert serving is not None
        watch = _Watch(self._asking, token, self._asking.sessions.place(req), serving.request_id, case_id)
        await watch.look()
        principal = principal_of(watch.caller)
        if self._open.total() >= MOST or self._open[principal] >= EACH:
            raise RateLimited(retry_after=30, cause="live pages")
        resp.set_header("X-Accel-Buffering", "no")
        resp.sse = self._events(watch, principal)

    async def _events(self, watch: _Watch, principal: str) -> AsyncIterator[SSEvent | None]:
        self._open[principal] += 1
        try:
            with self._changes.listening() as listener:
                listener.case_id = watch.case_id
                listener.wake()
                yield None
                async for event in watch.events(listener, self._changes):
                    yield event
        except ConcordatError as problem:
            log.info("live_page_ended", code=problem.code, reason=problem.cause)
            yield SSEvent(event="check", text="")
        finally:
            self._open[principal] -= 1
            self._open += Counter()


class _Watch:
    """One open page."""

    def __init__(
        self, asking: Asking, token: str, place: Place, request_id: str, case_id: str | None
    ) -> None:
        self._asking, self._token, self._place = asking, token, place
        self._request_id, self.case_id = request_id, case_id
        self._after: str | None = None
        self._asks = 0
        self.caller = ""

    async def events(self, listener: Listener, changes: LiveChanges) -> AsyncIterator[SSEvent | None]:
        """`check` (read again, and listen anew), `changed` (read again), `unread`, and comments."""
        while not changes.ending:
            listener.keys = keys_of(self.caller)
            woken = await listener.wait(LOOK_EVERY)
            if listener.lost:
                # Whether this page may still be shown is for the page to find out: nothing more from here.
                yield SSEvent(event="check", text="")
                return
            touched, more = await self.look()
            if touched:
                yield SSEvent(event="changed", text="")
            if woken and more:
                yield SSEvent(event="unread", text=str(await self._unread()))
            elif not woken:
                yield None
            await asyncio.sleep(GATHER)

    async def look(self) -> tuple[bool, bool]:
        """Whether anything came that this page shows, and whether anything came at all; authorised now."""
        request = StreamItems() if self._after is None else StreamItems(after=self._after)
        found = await self._ask("stream_items", request)
        self._after = found["resume"]
        cases = {frame["event"]["data"]["case_id"] for frame in found["frames"]}
        return (bool(cases) if self.case_id is None else self.case_id in cases), bool(cases)

    async def _unread(self) -> int:
        found = await self._ask("count_unread", CountUnread())
        return int(found["unread"])

    async def _ask(self, method: str, request: Request) -> Body:
        self._asks += 1
        with context.use(Context(f"{self._request_id}-{self._asks}", Deadline.after(4.0))):
            found = await self._asking.ask_as(
                self._token, "notify", method, request, msgspec.Raw, place=self._place, heard=self._heard
            )
        body: Body = _decode(found)
        return body

    def _heard(self, caller: str) -> None:
        self.caller = caller
