"""The live stream: what woke whom, and what each may be shown of it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from services.chassis.rpc import rpc
from services.contracts.alerts import inbox_keys
from services.contracts.caller import Caller
from services.contracts.notify import Change, Changes, Frame, GetChanges, StreamFrames, StreamItems
from services.notify.domain.items import Item
from services.notify.handlers.parts import Parts
from services.notify.handlers.recorded import disclose
from services.notify.knowing import known

LOOK_EVERY = 0.06
"""Seconds between looks for what is new, while somebody waits for it."""
MOST_CHANGES, MOST_KEYS = 500, 8000
"""In one answer: a case may have many readers, and an answer has a limit."""


class Streaming(Parts):
    """The gateway waits on `changes`, and asks `stream_items` for the streams that it names."""

    @rpc(callers=("gateway",))
    def changes(self, request: GetChanges) -> Changes:
        """Say which index keys have something new, once there is something or the time is up."""
        if request.after is None:
            return Changes(n=self.items.latest(), items=())
        until = time.monotonic() + request.wait_ms / 1000
        while True:
            found = self.items.after(request.after, MOST_CHANGES)
            if found:
                told = _that_fit(found)
                return Changes(n=told[-1].n, items=tuple(_change(item) for item in told))
            if time.monotonic() >= until:
                # A restored database numbers again from where it was.
                return Changes(n=min(request.after, self.items.latest()), items=())
            time.sleep(LOOK_EVERY)

    @rpc
    def stream_items(self, request: StreamItems, caller: Caller) -> StreamFrames:
        """Give the frames that the caller may see now, recorded."""
        if request.after is None:
            return StreamFrames(frames=(), resume=str(self.items.latest()), more=False)
        after = int(request.after)
        found = self.items.addressed_after(inbox_keys(caller), after, request.limit)
        if not found:
            return StreamFrames(frames=(), resume=str(min(after, self.items.latest())), more=False)
        resume, more = str(found[-1].n), len(found) == request.limit
        shown = known(self.sharing, caller.id, [item for item in found if item.of_a_case])
        if not shown:
            return StreamFrames(frames=(), resume=resume, more=more)
        disclosed = disclose(self.records, caller, "event.stream", "streamed", shown)
        frames = tuple(_frame(item) for item in shown)
        return StreamFrames(frames=frames, resume=resume, more=more, disclosed=disclosed)


def _that_fit(items: Sequence[Item]) -> Sequence[Item]:
    """The first ones, at least one, with not too many keys altogether."""
    total = 0
    for place, item in enumerate(items):
        total += len(item.keys)
        if total > MOST_KEYS and place > 0:
            return items[:place]
    return items


def _frame(item: Item) -> Frame:
    return Frame(id=str(item.n), type=item.type, event=item.thin())


def _change(item: Item) -> Change:
    return Change(n=item.n, keys=item.keys, case_id=item.case_id, kind=item.type)
