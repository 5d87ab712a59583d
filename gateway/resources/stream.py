"""`GET /stream`: what happens, as it happens. Every frame is authorised before it is written (V2).

One batch is one identify and one `notify.stream_items`: what that answer holds is written at once and in one
piece, or thrown away. Between batches the session is looked at every few seconds, so that the stream of an
account that was disabled ends.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import falcon.asgi
from falcon.asgi import SSEvent
from pydantic import ValidationError

from gateway.asking import Asking
from gateway.changes import Listener, LiveChanges, keys_of, principal_of
from gateway.sessions import Place
from services.chassis import context
from services.chassis.context import Context
from services.chassis.deadline import Deadline
from services.chassis.logs import log
from services.contracts.errors import ConcordatError, Malformed, RateLimited, Unavailable
from services.contracts.notify import StreamFrames, StreamItems

GATHER = 0.25
"""Seconds between two batches of a stream, at least."""
LOOK_EVERY = 5.0
"""Seconds after which a quiet stream's session is identified anew."""
BEAT_EVERY = 15.0
UNKNOWN_MOST = 15.0
"""Seconds that a stream lives on while nobody can say whether its session still holds."""
FRESH = 1.0
"""Seconds from the check within which frames are written, or else asked for anew."""
PAUSE = 1.0
"""Seconds before a part that did not answer is asked again."""
_STALE_MOST = 3


class Streams:
    """Opens streams, so many in this process and so many for one principal."""

    def __init__(self, asking: Asking, changes: LiveChanges, *, most: int, each: int) -> None:
        self._asking, self._changes, self._most, self._each = asking, changes, most, each
        self._open: Counter[str] = Counter()

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        serving = context.current()
        assert serving is not None
        sessions = self._asking.sessions
        stream = _Stream(
            self._asking, sessions.token(req), sessions.place(req), serving.request_id, _resume_point(req)
        )
        first = await stream.ask()  # whoever may not is told so before the stream begins
        principal = principal_of(stream.caller)
        if self._open.total() >= self._most or self._open[principal] >= self._each:
            raise RateLimited(retry_after=30, cause="streams")
        resp.set_header("X-Accel-Buffering", "no")
        resp.sse = self._frames(stream, first, principal)

    async def _frames(
        self, stream: _Stream, first: StreamFrames, principal: str
    ) -> AsyncIterator[SSEvent | None]:
        self._open[principal] += 1
        try:
            with self._changes.listening() as listener:
                async for batch in stream.batches(first, listener, self._changes):
                    yield batch
        except ConcordatError as problem:
            # Nothing is written: the client comes back, and is told why.
            log.info("stream_ended", code=problem.code, reason=problem.cause)
        finally:
            self._open[principal] -= 1
            self._open += Counter()  # forgets those with none


class _Stream:
    """One open stream: its session, and how far it has come."""

    def __init__(self, asking: Asking, token: str, place: Place, request_id: str, after: str | None) -> None:
        self._asking, self._token, self._place = asking, token, place
        self._request_id, self._after = request_id, after
        self._batch = 0
        self._asked_at = self._known_at = time.monotonic()
        self.caller = ""

    async def batches(
        self, found: StreamFrames, listener: Listener, changes: LiveChanges
    ) -> AsyncIterator[SSEvent | None]:
        """What is to be written, as it comes: batches of frames, and now and then a comment (None). Raises
        what ends the stream."""
        beat_at, stale = time.monotonic(), 0
        listener.wake()  # what happened before it listened
        yield None
        while not changes.ending:
            fresh = not found.frames or time.monotonic() - self._asked_at <= FRESH
            stale = 0 if fresh else stale + 1
            if stale > _STALE_MOST:
                raise Unavailable(cause="frames come too late to be written")
            if fresh:
                self._after = found.resume
            if fresh and found.frames:
                yield _Batch(found)
                beat_at = time.monotonic()
            listener.keys = keys_of(self.caller)
            if fresh and not found.more:
                await listener.wait(LOOK_EVERY)
            if time.monotonic() - beat_at > BEAT_EVERY - LOOK_EVERY:
                yield None
                beat_at = time.monotonic()
            await asyncio.sleep(max(0.0, self._asked_at + GATHER - time.monotonic()))
            found = await self._ask_patiently()

    async def _ask_patiently(self) -> StreamFrames:
        """As `ask`; nothing, while nobody answers and it is not yet too long that the session was known."""
        try:
            return await self.ask()
        except Unavailable:
            if time.monotonic() - self._known_at > UNKNOWN_MOST:
                raise
            await asyncio.sleep(PAUSE)
            return StreamFrames(frames=(), resume=self._after or "0", more=False)

    async def ask(self) -> StreamFrames:
        """The next batch, authorised now."""
        request = StreamItems() if self._after is None else StreamItems(after=self._after)
        self._batch += 1
        self._asked_at = time.monotonic()
        # A request id of its own, that begins as the stream's does: one record each.
        serving = Context(f"{self._request_id}-{self._batch}", Deadline.after(4.0))
        with context.use(serving):
            found: StreamFrames = await self._asking.ask_as(
                self._token,
                "notify",
                "stream_items",
                request,
                StreamFrames,
                place=self._place,
                heard=self._heard,
            )
        self._known_at = time.monotonic()
        return found

    def _heard(self, caller: str) -> None:
        self.caller = caller


class _Batch(SSEvent):
    """All frames of one answer as one piece: what is written much later than its check is unchecked."""

    def __init__(self, found: StreamFrames) -> None:
        super().__init__()
        self._found = found

    def serialize(self, handler: Any = None) -> bytes:
        """The entry under which they were disclosed stands in a comment before them."""
        parts = []
        if self._found.disclosed is not None:
            parts.append(f": consultation {self._found.disclosed.entry_id}\n")
        for frame in self._found.frames:
            data = frame.event.model_dump_json(exclude_unset=True)
            parts.append(f"id: {frame.id}\nevent: {frame.type}\ndata: {data}\n\n")
        return "".join(parts).encode()


def _resume_point(req: falcon.asgi.Request) -> str | None:
    """Last-Event-ID. Raises Malformed for what this stream never gave as one."""
    given = req.get_header("Last-Event-ID")
    if not given:
        return None
    try:
        return StreamItems(after=given).after
    except ValidationError:
        raise Malformed(cause="Last-Event-ID") from None
