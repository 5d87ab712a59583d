"""Who has news: one waiting call to `notify` per gateway process wakes the streams and pages concerned.

A listener hears only *that* it should ask; what there is to see it asks for itself, identified anew. So a
late or a superfluous wake-up shows nothing to anybody. Streams and the web client's live pages use it alike:

    with changes.listening() as listener:
        listener.keys = keys_of(caller_json)  # whose news
        listener.case_id = case_id  # or: everything about the case that a page shows
        woken = await listener.wait(5.0)  # True: ask now; False: nothing was heard in that time
        listener.lost  # access to that case was narrowed for somebody: ask before anything else
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator

import msgspec

from services.chassis.aio import AsyncCalls
from services.chassis.deadline import Deadline
from services.chassis.logs import log
from services.contracts.alerts import office_keys
from services.contracts.errors import ConcordatError
from services.contracts.notify import Change, Changes, GetChanges

NARROWING = frozenset({"share.revoked", "share.changed", "case.transferred"})
WAIT_MS = 2000
PATIENCE = 5.0
"""`notify` wants 2.5 times the wait: half-way a call is made a second time."""
PAUSES = (0.2, 0.5, 1.0)


class _Caller(msgspec.Struct):
    kind: str
    id: str
    agency_id: str = ""
    team_ids: list[str] = []
    roles: list[str] = []


_read = msgspec.json.Decoder(_Caller).decode


def keys_of(caller: str) -> frozenset[str]:
    """The index keys of a caller, from its JSON: `contracts.alerts.inbox_keys` without the model."""
    found = _read(caller)
    if found.kind == "client":
        return frozenset({f"c:{found.id}"})
    teams = (f"t:{team}" for team in found.team_ids)
    return frozenset({f"u:{found.id}", *teams, *office_keys(found.roles, found.agency_id)})


def principal_of(caller: str) -> str:
    """`u:<id>` or `c:<id>`."""
    found = _read(caller)
    return f"{'c' if found.kind == 'client' else 'u'}:{found.id}"


class Listener:
    """One stream or page that waits. `lost`: a share of its case was narrowed since it was last cleared."""

    def __init__(self) -> None:
        self.keys: frozenset[str] = frozenset()
        self.case_id: str | None = None
        self.lost = False
        self._event = asyncio.Event()

    async def wait(self, seconds: float) -> bool:
        """Until there may be news, at most `seconds`; whether there may. News are heard once."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._event.wait()
        woken = self._event.is_set()
        self._event.clear()
        return woken

    def wake(self) -> None:
        self._event.set()

    def hear(self, change: Change) -> None:
        """Take note of a change, if it is of concern."""
        mine = self.case_id is not None and change.case_id == self.case_id
        if mine and change.kind in NARROWING:
            self.lost = True
        if mine or not self.keys.isdisjoint(change.keys):
            self.wake()


class LiveChanges:
    """Asks `notify` while anybody listens. `ending`: the process is about to stop, so streams should."""

    def __init__(self, calls: AsyncCalls, ending: Callable[[], bool] = lambda: False) -> None:
        self._calls, self._ending = calls, ending
        self._listeners: set[Listener] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def ending(self) -> bool:
        return self._ending()

    @contextlib.contextmanager
    def listening(self) -> Iterator[Listener]:
        """A listener, from now until the block is left."""
        listener = Listener()
        self._listeners.add(listener)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        """Until nobody listens any more. After a time without answers everybody is woken: something may have
        happened in it."""
        async for found in self._batches():
            for change in found.items:
                for listener in self._listeners:
                    listener.hear(change)

    async def _batches(self) -> AsyncIterator[Changes]:
        after: int | None = None
        failures = 0
        while self._listeners and not self.ending:
            try:
                found = await self._ask(after)
            except ConcordatError as problem:
                if failures == 0:
                    log.info("changes_not_heard", code=problem.code, reason=problem.cause)
                await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
                failures += 1
                continue
            if after is None or failures or found.n < after:
                self._wake_all()
            after, failures = found.n, 0
            yield found
        self._wake_all()

    async def _ask(self, after: int | None) -> Changes:
        question = GetChanges(after=after, wait_ms=WAIT_MS) if after is not None else GetChanges()
        found: Changes = await self._calls.call(
            "notify", "changes", question, reply=Changes, deadline=Deadline.after(PATIENCE)
        )
        return found

    def _wake_all(self) -> None:
        for listener in self._listeners:
            listener.wake()
