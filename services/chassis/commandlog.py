"""Commands that may be given again and again, and take effect once.

Effect, outcome under the command's key, and events are one transaction: none is there without the others.
Refusals are kept as well: a command that was told "no" must not take effect when it is delivered again.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, TypeVar
from urllib.parse import quote

from pydantic import BaseModel
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError, PyMongoError

from services.chassis import context
from services.chassis.context import Context
from services.chassis.deadline import Deadline
from services.chassis.mongo import Document, transact, within
from services.chassis.outbox import columns
from services.contracts.envelope import Event
from services.contracts.error_wire import from_wire
from services.contracts.errors import (
    ConcordatError,
    IdempotencyKeyRequired,
    IdempotencyKeyReused,
    NotVisible,
    RateLimited,
    Refused,
    RequestInProgress,
    Unauthenticated,
)
from services.contracts.messages import EventData, Reply, Request

_LOOK_AGAIN = 0.01

Told = TypeVar("Told", bound=Reply)


class Emit(Protocol):
    """Put an event into the outbox. `number` is the aggregate's version taken in this transaction."""

    def __call__(self, event_type: str, aggregate: str, number: int, data: EventData) -> None: ...


Body = Callable[[ClientSession, Emit], Told]


class _Repeated(Exception):
    """The key has an outcome already."""


@dataclass(frozen=True, slots=True)
class _Command:
    id: str
    body_hash: str


class CommandLog:
    """Runs commands of one service. `committed` is told of the events after their commit."""

    def __init__(
        self,
        database: Database[Document],
        service: str,
        committed: Callable[[list[Event]], None],
        *,
        dedupe: bool = True,
        boxed: bool = True,
    ) -> None:
        """Without `dedupe` or `boxed` nothing is safe: for the fault harness, to see its checker fail."""
        self._database, self._rows = database, database["commands"]
        self._service, self._committed, self._dedupe, self._boxed = service, committed, dedupe, boxed

    def run(
        self,
        request: Request,
        reply: type[Told],
        body: Body[Told],
        *,
        last: Callable[[], None] | None = None,
    ) -> Told:
        """Run `body` in a transaction, once for the key of the call being served, and return its outcome.

        `body` gets the session, which it MUST pass to every operation, and `emit`. It may run several times;
        one run is kept. What it returns is stored: ids and versions only, never content. Raises what the
        first run raised, IdempotencyKeyReused, or a kind of Unavailable: then the outcome is not known, and
        the command may be given again with its key.

        `last` is what somebody else is told before the commit: not for a command that has an outcome already.
        """
        serving = _serving()
        command = _Command(_identity(request, serving) if self._dedupe else uuid.uuid4().hex, _hash(request))
        refusal: ConcordatError | None = None
        try:
            return self._once(command, serving, body, last)
        except _Repeated:
            pass
        except (Refused, NotVisible):
            # Who may no longer know is not told what was: access is judged anew each time (V2).
            raise
        except ConcordatError as problem:
            if not _final(problem) or not self._dedupe:
                raise
            refusal = problem
        except PyMongoError:
            # A repeated body may clash with what its first run stored.
            if self._find(command, serving.deadline) is None:
                raise
        if refusal is not None and self._keep(refusal, command, serving.deadline):
            raise refusal
        return self._first(command, serving.deadline, reply)

    def done(self, request: Request, reply: type[Told]) -> Told | None:
        """What the key of the call being served has come to already; None if nothing yet.

        For a handler that tells somebody else before its transaction commits: a repetition then tells
        nothing. It MUST judge access first. Raises as `run` does.
        """
        serving = _serving()
        command = _Command(_identity(request, serving), _hash(request))
        if not self._dedupe or self._find(command, serving.deadline) is None:
            return None
        return self._first(command, serving.deadline, reply)

    def key(self) -> str:
        """The key of the command being served. Raises IdempotencyKeyRequired."""
        return str(_serving().key)

    def _once(
        self, command: _Command, serving: Context, body: Body[Told], last: Callable[[], None] | None
    ) -> Told:
        runs, events = 0, list[Event]()

        def attempt(session: ClientSession) -> Told:
            nonlocal runs
            runs += 1
            events.clear()
            if runs > 1 and self._rows.find_one({"_id": command.id}, {"_id": True}, session=session):
                raise _Repeated  # lost against the same command: do not do the work to find out
            outcome = body(session, emit)
            told = {"outcome": outcome.model_dump(mode="json"), **columns(events if self._boxed else ())}
            self._remember(command, told, session)
            if last is not None:
                last()
            return outcome

        def emit(event_type: str, aggregate: str, number: int, data: EventData) -> None:
            event = Event.of(
                self._service,
                event_type,
                aggregate,
                number,
                data,
                now=datetime.now(UTC),
                traceparent=serving.traceparent,
            )
            events.append(event)

        outcome = transact(self._database.client, serving.deadline, attempt)
        if events:
            self._committed(events)
        return outcome

    def _keep(self, refusal: ConcordatError, command: _Command, deadline: Deadline) -> bool:
        """Keep a refusal; False if the key has an outcome: then that one counts."""
        try:
            with within(deadline):
                self._remember(command, {"refusal": refusal.to_wire(), **columns(())}, None)
        except _Repeated:
            return False
        return True

    def _remember(self, command: _Command, told: Document, session: ClientSession | None) -> None:
        row = {"_id": command.id, "at": datetime.now(UTC), "body_hash": command.body_hash, **told}
        try:
            self._rows.insert_one(row, session=session)
        except DuplicateKeyError:
            raise _Repeated from None

    def _first(self, command: _Command, deadline: Deadline, reply: type[Told]) -> Told:
        """The outcome of the first run. It is there, but a majority may not have it yet."""
        while (row := self._find(command, deadline)) is None:
            if deadline.left() < _LOOK_AGAIN:
                raise RequestInProgress
            time.sleep(_LOOK_AGAIN)
        if row["body_hash"] != command.body_hash:
            raise IdempotencyKeyReused
        if "refusal" in row:
            raise from_wire(row["refusal"])
        return reply.model_validate(row["outcome"])

    def _find(self, command: _Command, deadline: Deadline) -> Document | None:
        with within(deadline):
            return self._rows.find_one({"_id": command.id})


def _serving() -> Context:
    serving = context.current()
    if serving is None or not serving.key:
        raise IdempotencyKeyRequired
    return serving


def _identity(request: Request, serving: Context) -> str:
    """Keys are their giver's own: two callers that choose the same one do not meet."""
    giver = (
        f"{serving.caller.kind}:{quote(serving.caller.id, safe='')}"
        if serving.caller
        else serving.peer or "-"
    )
    return f"{type(request).__name__}/{giver}/{serving.key}"


def _hash(request: BaseModel) -> str:
    return hashlib.sha256(request.model_dump_json().encode()).hexdigest()


def _final(problem: ConcordatError) -> bool:
    """It says something about the command, so it would be said again."""
    return problem.status < 500 and not isinstance(problem, Unauthenticated | RateLimited)
