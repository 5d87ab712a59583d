"""What a worker knows of the call that it serves. One per greenlet or task, by contextvar."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import msgspec

from services.chassis.deadline import Deadline
from services.contracts.caller import Caller


class Context(msgspec.Struct, frozen=True):
    """The call being served: MUST be passed on (request id, trace, deadline) by every call made on its
    behalf."""

    request_id: str
    deadline: Deadline
    traceparent: str | None = None
    peer: str | None = None
    """The service whose key sealed the call; None in plain mode, where nobody is proved."""
    key: str | None = None
    """The idempotency key of a command."""
    caller: Caller | None = None
    """Set only after its signature was verified for this method and these arguments."""

    def traced(self, traceparent: str | None) -> Context:
        """The same call under another span."""
        if traceparent == self.traceparent:
            return self
        return msgspec.structs.replace(self, traceparent=traceparent)

    def keyed(self, key: str) -> Context:
        """The same call, whose next command has this key: for work that makes several."""
        return msgspec.structs.replace(self, key=key)

    def within(self, seconds: float) -> Context:
        """The same call, which may take `seconds` from now at most."""
        return msgspec.structs.replace(self, deadline=self.deadline.within(seconds))


_current: ContextVar[Context | None] = ContextVar("concordat_call", default=None)


def current() -> Context | None:
    return _current.get()


def enter(context: Context) -> None:
    """For a greenlet or task that serves one call and then ends."""
    _current.set(context)


@contextmanager
def use(context: Context) -> Iterator[Context]:
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)


@contextmanager
def keyed(key: str) -> Iterator[None]:
    """The same call, whose command inside has this key: for a timer, which gives several."""
    serving = current()
    assert serving is not None
    with use(serving.keyed(key)):
        yield
