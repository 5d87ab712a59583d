"""What the greenlet client and the asyncio client share: making a call, judging its answer, spending its
time."""

from __future__ import annotations

import time
import uuid
from typing import Any

import amqp
import msgspec
from pydantic import BaseModel

from services.chassis import context, metrics
from services.chassis.deadline import Deadline
from services.chassis.formats import Format, lifetime
from services.chassis.logs import log
from services.chassis.payload import BODY_LIMIT, NAME_LIMIT, Call, raw, read
from services.chassis.pending import ATTEMPTS, Attempt, attempt_until
from services.contracts.caller import SignedCaller
from services.contracts.error_wire import from_wire
from services.contracts.errors import (
    ConcordatError,
    DeadlineExpired,
    IdempotencyKeyRequired,
    Internal,
    Invalid,
    LinkDown,
    Malformed,
    Unavailable,
)

WITHOUT_DEADLINE = 60.0
"""Seconds, when the fault harness switches deadlines off to see its checker fail."""


class Asked(msgspec.Struct, frozen=True):
    """One call that somebody makes: the same for each attempt."""

    route: str
    call: Call
    deadline: Deadline
    reply: type[BaseModel] | type[msgspec.Raw] | None

    @property
    def target(self) -> str:
        return self.route.partition(".")[0]


def ask(
    route: str,
    request: BaseModel | msgspec.Raw | None,
    *,
    reply: type[BaseModel] | type[msgspec.Raw] | None,
    patience: float,
    key: str | None = None,
    caller: SignedCaller | None = None,
    request_id: str | None = None,
    deadline: Deadline | None = None,
    kwargs: dict[str, Any] | None = None,
) -> Asked:
    """Prepare a call. Its deadline is the given one, else what the call being served leaves, at most
    `patience` seconds."""
    serving = context.current()
    if deadline is None:
        deadline = Deadline.after(patience) if serving is None else serving.deadline.shrunk().within(patience)
    deadline.check()
    for name in (key, request_id):
        if name is not None and len(name) > NAME_LIMIT:
            raise Malformed(cause="key or request id too long")
    arguments = {} if request is None else {"request": raw(request)}
    arguments.update({name: raw(value) for name, value in (kwargs or {}).items()})
    call = Call(
        kwargs=arguments,
        request_id=request_id or (serving.request_id if serving else uuid.uuid4().hex),
        key=key,
        traceparent=serving.traceparent if serving else None,
        caller=None if caller is None else (caller.body.decode(), caller.mac.hex()),
    )
    return Asked(route, call, deadline, reply)


def require_key(key: str) -> str:
    if not key:
        raise IdempotencyKeyRequired
    return key


def without_deadline(asked: Asked) -> Asked:
    return msgspec.structs.replace(asked, deadline=Deadline.after(WITHOUT_DEADLINE))


def message_of(
    asked: Asked, speak: Format, attempt: Attempt[Any], reply_to: str
) -> tuple[bytes, dict[str, Any]]:
    """The body and properties of one attempt. It leaves the queue when the next attempt takes over."""
    body, properties = speak.request(asked.route, asked.call, asked.deadline, attempt.id, reply_to)
    properties["expiration"] = lifetime(attempt.until)
    return body, properties


def judge(asked: Asked, answer_format: Format, message: amqp.Message) -> Any:
    """Return the result in `message`, or raise the error that it carries. Either is final: no attempt
    follows."""
    if len(message.body) > BODY_LIMIT or getattr(message, "oversize", False):
        raise Unavailable(cause="reply: too large")
    answer = answer_format.answer(message, asked.route, asked.deadline)
    if answer.error is not None:
        raise from_wire(answer.error)
    try:
        return read(answer.result, asked.reply)
    except (Malformed, Invalid):
        raise Internal(cause="reply: of another shape") from None


class Measured:
    """Counts one call and its duration, whatever becomes of it."""

    def __init__(self, asked: Asked) -> None:
        self._route = asked.route

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(self, kind: object, problem: BaseException | None, trace: object) -> None:
        told = problem.code if isinstance(problem, ConcordatError) else "stopped"
        outcome = "ok" if problem is None else told
        metrics.call_made(self._route, outcome, time.perf_counter() - self._started)


class Attempts:
    """Decides whether an unanswered attempt is followed by another, and until when each may take.

    A silent callee costs one attempt of two; a lost connection does not count, the deadline bounds it. That
    there was more than one is in the log: what a callee records or counts, it may then have done twice.
    """

    def __init__(self, deadline: Deadline, route: str = "", request_id: str = "") -> None:
        self._deadline, self._route, self._request_id = deadline, route, request_id
        self._silent, self._again = 0, False

    def next_until(self) -> float:
        self._deadline.check()
        return attempt_until(self._deadline.at, self._silent + 1, time.time())

    def after(self, problem: DeadlineExpired | LinkDown) -> None:
        """Return if the call may be tried again, else raise `problem`."""
        if isinstance(problem, DeadlineExpired):
            self._silent += 1
        if self._silent >= ATTEMPTS or self._deadline.expired:
            raise problem
        if not self._again:
            self._again = True
            log.info("call_attempted_again", method=self._route, request_id=self._request_id)
