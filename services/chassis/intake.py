"""The recorder's end of `recording.py`: takes records off the queue `intake` in batches, in their order.

    @intake(Record)
    def take(self, batch: Sequence[Taken[Record]]) -> None: ...

The method returns when all of the batch is durable, else it raises. With `marks` a batch has marks as well
(`recording.py`), after what was recorded before them.

take ─▶ returned ─▶ ack
     ─▶ a part is away ─▶ the same again, until it is back
     ─▶ failed ─▶ one by one; what fails while others do not ─▶ dead letters; all ─▶ the same again
unreadable ─▶ dead letters

A batch may be given again, whole or in part, when its acknowledgement was lost: the method MUST take effect
once for each record. Nothing is ever dropped: what nobody can read is put aside, and alarmed.
"""

from __future__ import annotations

import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import amqp
import eventlet
from eventlet.event import Event
from nameko.containers import WorkerContext
from nameko.extensions import Entrypoint
from pydantic import BaseModel, ValidationError

from services.chassis import metrics
from services.chassis.confirms import ConfirmChannel
from services.chassis.context import Context, use
from services.chassis.deadline import Deadline
from services.chassis.deliveries import body_of, fingerprint
from services.chassis.logs import log
from services.chassis.mongo import translate
from services.chassis.recording import CONTEXT, MARK, MARK_CONTEXT, RECORD_LIMIT
from services.chassis.retries import QUEUE, REASON, REPLAYED, SHA256
from services.chassis.sealing import CONTENT_TYPE, Keyring
from services.chassis.topology import INTAKE, dead_queue, retry_exchange
from services.chassis.wire import Connection, acknowledge
from services.contracts.errors import ConcordatError, Unauthenticated, Unavailable

BATCH, LINGER = 500, 0.1
"""Records that one batch has at most, and seconds that the first of it waits for others."""
BREATH = 25
"""Records that are opened before others have their turn: a hub that stands still loses its connection."""
ATTEMPTS = 3
PAUSE_FIRST, PAUSE_MOST = 0.1, 2.0
CONFIRM_SECONDS = 5.0
DRAIN_SECONDS = 5.0

Method = TypeVar("Method", bound=Callable[..., object])
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Taken(Generic[Model]):
    """One record. `sender` is the service whose key sealed it; `again`: it may have been given before."""

    record: Model
    sender: str
    again: bool


class Unreadable(Exception):
    """Not a record. `reason` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Intake(Entrypoint):  # type: ignore[misc]
    """Gives batches to a method, one after the other."""

    channel = ConfirmChannel()

    def __init__(self, model: type[BaseModel], marks: type[BaseModel] | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._model, self._marks = model, marks

    def setup(self) -> None:
        bus = self.channel.bus
        self._keyring, self._seconds = bus.keyring, bus.settings.call_timeout
        self._link = bus.consuming
        self._open: amqp.Channel | None = None
        self._waiting: deque[amqp.Message] = deque()
        self._some, self._idle, self._draining = Event(), True, False
        self._pause = PAUSE_FIRST
        self._link.attach(self._consume, self._lost)

    def start(self) -> None:
        self._loop = eventlet.spawn(self._run)

    def stop(self) -> None:
        """Take no more and let the batch in hand end; the broker gives the rest to another instance."""
        self._draining = True
        if self._open is not None:
            self._open.basic_cancel(INTAKE, nowait=True)
        self._wake()
        with eventlet.Timeout(DRAIN_SECONDS, False):
            while not self._idle:
                eventlet.sleep(0.01)
        self.kill()

    def kill(self) -> None:
        self._loop.kill()

    # -- taking: only appends, because this runs where frames are read (N19) -------------------------------

    def _consume(self, connection: Connection) -> None:
        channel = connection.channel()
        channel.auto_decode = False
        channel.basic_qos(0, 2 * BATCH, False)
        self._waiting.clear()
        self._open = channel
        if not self._draining:
            channel.basic_consume(INTAKE, consumer_tag=INTAKE, callback=self._arrived)

    def _lost(self) -> None:
        self._open = None
        self._waiting.clear()  # the broker gives them again, to whoever is there

    def _arrived(self, message: amqp.Message) -> None:
        self._waiting.append(message)
        self._wake()

    def _wake(self) -> None:
        if not self._some.ready():
            self._some.send()

    # -- settling ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._draining:
            self._some.wait()
            self._some = Event()
            while self._waiting and not self._draining:
                self._idle = False
                try:
                    self._settle(self._gather())
                except Exception as problem:  # a defect of ours: nothing is acknowledged, so nothing is lost
                    log.error("intake_failed", exc_info=problem)
                    eventlet.sleep(PAUSE_MOST)
                    self._link.drop()
                finally:
                    self._idle = True

    def _gather(self) -> list[amqp.Message]:
        give_up = time.monotonic() + LINGER
        while len(self._waiting) < BATCH and (left := give_up - time.monotonic()) > 0 and not self._draining:
            eventlet.sleep(min(left, 0.01))
        self._link.wait_up(CONFIRM_SECONDS)  # nobody may write on a connection that is still being prepared
        count = min(BATCH, len(self._waiting))
        return [self._waiting.popleft() for _ in range(count)]

    def _settle(self, messages: list[amqp.Message]) -> None:
        batch: list[tuple[amqp.Message, Taken[Any]]] = []
        for place, message in enumerate(messages):
            if place % BREATH == BREATH - 1:
                eventlet.sleep(0)
            try:
                batch.append((message, open_record(message, self._keyring, self._model, self._marks)))
            except Unreadable as found:
                if self._put_aside(message, found.reason):
                    acknowledge(message)
        if not batch:
            return
        last, _ = batch[-1]
        if self._done(batch):
            self._pause = PAUSE_FIRST
            if self._holds(last):
                last.channel.basic_ack(last.delivery_tag, multiple=True)
            return
        eventlet.sleep(self._pause)
        self._pause = min(self._pause * 2, PAUSE_MOST)
        if self._holds(last):  # else the broker gives them again
            self._waiting.extendleft(message for message, _ in reversed(batch))

    def _done(self, batch: list[tuple[amqp.Message, Taken[Any]]]) -> bool:
        """Whether every record of the batch is in safe hands; if not, all of it is to be tried again."""
        problem = self._try([taken for _, taken in batch])
        if problem is None:
            return True
        bad = None if isinstance(problem, Unavailable) else self._those_that_fail(batch)
        return bad is not None and all(self._put_aside(message, "not_taken") for message in bad)

    def _those_that_fail(self, batch: list[tuple[amqp.Message, Taken[Any]]]) -> list[amqp.Message] | None:
        """Take one by one, and return what cannot be. None when nothing could: then it is not the records'
        fault, and none of them is put aside."""
        bad = []
        for message, taken in batch:
            if all(self._try([taken]) is not None for _ in range(ATTEMPTS)):
                bad.append(message)
        return bad if len(bad) < len(batch) else None

    def _try(self, batch: Sequence[Taken[Any]]) -> Exception | None:
        """None when the batch was taken."""
        try:
            self._take(batch)
        except Exception as problem:
            told = translate(problem) or problem
            code = getattr(told, "code", None)
            log.error("records_not_taken", count=len(batch), code=code, exc_info=problem)
            return told
        return None

    def _take(self, batch: Sequence[Taken[Any]]) -> None:
        serving = Context(uuid.uuid4().hex, Deadline.after(self._seconds))
        with use(serving):
            service = self.container.service_cls()
            worker = WorkerContext(self.container, service, self)
            for provider in self.container.dependencies:
                setattr(service, provider.attr_name, provider.get_dependency(worker))
            getattr(service, self.method_name)(batch)

    def _put_aside(self, message: amqp.Message, reason: str) -> bool:
        """Move what can never be taken to the dead letters; False if the connection was lost first."""
        service = self.container.service_name
        digest = fingerprint(message)
        log.error("record_dead", queue=INTAKE, reason=reason, body_sha256=digest)
        metrics.dead_lettered(INTAKE, reason)
        while self._holds(message):
            try:
                ticket = self.channel.confirms.publish(
                    retry_exchange(service), dead_queue(service), _kept(message), _dead(message, reason)
                )
            except ConcordatError:
                eventlet.sleep(PAUSE_FIRST)
                continue
            if self.channel.confirms.wait([ticket], CONFIRM_SECONDS):
                return True
        return False

    def _holds(self, message: amqp.Message) -> bool:
        """The message is ours to acknowledge: the connection that brought it is still there."""
        return self._open is not None and message.channel is self._open


def open_record(
    message: amqp.Message, keyring: Keyring, model: type[Model], marks: type[Any] | None = None
) -> Taken[Any]:
    """A record, or a mark if those are taken. Raises Unreadable."""
    marked = marks is not None and message.properties.get("type") == MARK
    shape: type[Any] = marks if marked and marks is not None else model
    if getattr(message, "oversize", False) or len(message.body) > RECORD_LIMIT:
        raise Unreadable("too_large")
    if message.properties.get("content_type") != CONTENT_TYPE:
        raise Unreadable("content_type")
    try:
        opened = keyring.open(body_of(message), MARK_CONTEXT if marked else CONTEXT)
    except Unauthenticated:
        raise Unreadable("not_sealed_for_us") from None
    try:
        record = shape.model_validate_json(opened.body)
    except ValidationError:
        raise Unreadable("not_a_record") from None
    if getattr(record, "service", opened.sender) != opened.sender:
        raise Unreadable("other_service")
    return Taken(record, opened.sender, _again(message))


def _again(message: amqp.Message) -> bool:
    headers = message.properties.get("application_headers") or {}
    return bool(message.delivery_info.get("redelivered")) or REPLAYED in headers


def _kept(message: amqp.Message) -> bytes:
    """A sealed body is kept: nobody on the broker can read it, and with the key it is a record still. Of
    anything else the hash alone."""
    sealed = message.properties.get("content_type") == CONTENT_TYPE and body_of(message)[:1] == b"\1"
    return body_of(message) if sealed and len(message.body) <= RECORD_LIMIT else b""


def _dead(message: amqp.Message, reason: str) -> dict[str, Any]:
    headers = {REASON: reason, QUEUE: INTAKE, SHA256: fingerprint(message)}
    return {"delivery_mode": 2, "content_type": CONTENT_TYPE, "application_headers": headers}


def intake(model: type[BaseModel], marks: type[BaseModel] | None = None) -> Callable[[Method], Method]:
    """Mark `(self, batch)` as what takes the records, each read as `model`, and the marks."""
    mark: Callable[[Method], Method] = Intake.decorator(model, marks)
    return mark
