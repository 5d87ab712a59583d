"""A sealed call on the wire: what is believed of it, and what is refused."""

from __future__ import annotations

import time

import amqp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import formats
from services.chassis.deadline import Deadline
from services.chassis.formats import LONGEST, Incoming, Sealed, lifetime, reply_prefix
from services.chassis.payload import BODY_LIMIT, Answer, Call, raw
from services.chassis.sealing import Keyring
from services.contracts.errors import Malformed, TooLarge, Unauthenticated, Unavailable
from tests.unit.chassis.keyrings import folder_of, rings
from tests.unit.chassis.noise import no_object

ROUTE, ID, REPLY_TO = "echo.say", "c0ffee", "rpc.reply-gateway-1"
CALL = Call(kwargs={"request": raw({"text": "hello"})}, request_id="r1", key="k1", caller=("{}", "00"))
PATIENCE = 4.0


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Keyring]:
    return rings(folder_of(tmp_path_factory.mktemp("keys")))


@pytest.fixture(scope="module")
def gateway(ring: dict[str, Keyring]) -> Sealed:
    return Sealed(ring["gateway"])


@pytest.fixture(scope="module")
def echo(ring: dict[str, Keyring]) -> Sealed:
    return Sealed(ring["echo"])


def _request(sender: Sealed, reply_to: str = REPLY_TO, deadline: Deadline | None = None) -> amqp.Message:
    deadline = deadline or Deadline.after(PATIENCE)
    body, properties = sender.request(ROUTE, CALL, deadline, ID, reply_to)
    return amqp.Message(body, **properties)


def _incoming(receiver: Sealed, message: amqp.Message, route: str = ROUTE) -> Incoming:
    return receiver.incoming(message, route, PATIENCE)


def test_a_request_arrives_as_it_was_made(gateway: Sealed, echo: Sealed) -> None:
    deadline = Deadline.after(PATIENCE)
    incoming = _incoming(echo, _request(gateway, deadline=deadline))
    assert incoming.call == CALL
    assert (incoming.peer, incoming.route) == ("gateway", ROUTE)
    assert (incoming.reply_to, incoming.correlation_id) == (REPLY_TO, ID)
    assert incoming.deadline.millis == incoming.until == deadline.millis


def test_a_request_leaves_the_queue_when_nobody_waits_any_more(gateway: Sealed) -> None:
    properties = _request(gateway, deadline=Deadline.after(2)).properties
    assert 1900 < int(properties["expiration"]) <= 2000
    assert properties["delivery_mode"] == 1


def test_a_request_asked_under_another_route_is_refused(gateway: Sealed, echo: Sealed) -> None:
    with pytest.raises(Unauthenticated):
        _incoming(echo, _request(gateway), "echo.change_note")


@pytest.mark.parametrize(
    "change", [{"correlation_id": "c0ffed"}, {"reply_to": "rpc.reply-gateway-2"}, {"reply_to": "elsewhere"}]
)
def test_a_request_with_another_address_is_refused(
    gateway: Sealed, echo: Sealed, change: dict[str, str]
) -> None:
    message = _request(gateway)
    message.properties.update(change)
    with pytest.raises(Unauthenticated):
        _incoming(echo, message)


@pytest.mark.parametrize("name", ["reply_to", "correlation_id"])
@pytest.mark.parametrize("value", ["", None])
def test_a_request_that_cannot_be_answered_is_malformed(
    gateway: Sealed, echo: Sealed, name: str, value: str | None
) -> None:
    message = _request(gateway)
    message.properties[name] = value
    with pytest.raises(Malformed):
        _incoming(echo, message)
    del message.properties[name]
    with pytest.raises(Malformed):
        _incoming(echo, message)


@pytest.mark.parametrize(
    "reply_to",
    ["rpc.reply-mirror-1", "rpc-mirror", "mirror.retries", "rpc.reply-gateway", "rpc.reply-gateway2-1", " "],
)
def test_an_answer_is_sent_only_to_where_its_asker_listens(
    gateway: Sealed, echo: Sealed, reply_to: str
) -> None:
    """Otherwise whoever has a key could have us publish to queues that it may not publish to."""
    with pytest.raises(Malformed):
        _incoming(echo, _request(gateway, reply_to=reply_to))


def test_reply_queues_carry_their_owners_name() -> None:
    assert REPLY_TO.startswith(reply_prefix("gateway"))
    assert not REPLY_TO.startswith(reply_prefix("gate"))


@pytest.mark.parametrize("seconds", [LONGEST + 60, 2**32 / 1000, 10**13, 1.8e16])
def test_a_deadline_is_never_further_away_than_a_call_may_take(
    gateway: Sealed, echo: Sealed, seconds: float
) -> None:
    sealed = Deadline(float(int(time.time() + seconds)))
    incoming = _incoming(echo, _request(gateway, deadline=sealed))
    assert incoming.deadline.left() <= LONGEST
    assert incoming.until == sealed.millis
    _, properties = echo.reply(incoming, Answer(result=raw(1)))
    assert 0 < int(properties["expiration"]) <= LONGEST * 1000


def test_a_deadline_that_has_passed_is_seen_as_passed(gateway: Sealed, echo: Sealed) -> None:
    assert _incoming(echo, _request(gateway, deadline=Deadline(0.0))).deadline.expired


@given(st.floats(allow_nan=False))
def test_an_expiration_is_always_one_that_the_broker_takes(until: float) -> None:
    assert 1 <= int(lifetime(until)) <= LONGEST * 1000


def test_an_expiration_is_what_is_left_in_milliseconds() -> None:
    assert 2900 < int(lifetime(time.time() + 3)) <= 3000


@given(no_object(80))
def test_a_call_that_cannot_be_read_is_malformed_even_from_a_known_peer(
    ring: dict[str, Keyring], echo: Sealed, inner: bytes
) -> None:
    context = f"{ROUTE}|{ID}|{REPLY_TO}".encode()
    body = ring["gateway"].seal("echo", inner, Deadline.after(4).millis, context)
    with pytest.raises(Malformed):
        _incoming(echo, amqp.Message(body, correlation_id=ID, reply_to=REPLY_TO))


@given(st.binary(max_size=200), st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=30))
def test_a_message_that_nobody_sealed_is_refused(echo: Sealed, body: bytes, where: str, which: str) -> None:
    with pytest.raises((Unauthenticated, Malformed)):
        _incoming(echo, amqp.Message(body, correlation_id=which, reply_to=where))


def test_a_body_that_is_too_large_is_not_sent(gateway: Sealed, echo: Sealed) -> None:
    large = raw("x" * (BODY_LIMIT + 1))
    with pytest.raises(TooLarge):
        gateway.request(ROUTE, Call(kwargs={"request": large}), Deadline.after(4), ID, REPLY_TO)
    with pytest.raises(TooLarge):
        echo.reply(_incoming(echo, _request(gateway)), Answer(result=large))


@pytest.mark.parametrize("over", [0, 1])
def test_the_limit_itself_is_not_too_large(over: int) -> None:
    body = b"x" * (BODY_LIMIT + over)
    if over:
        with pytest.raises(TooLarge):
            formats.bounded(body)
    else:
        assert formats.bounded(body) is body


class _Exchange:
    """One call from gateway to echo, and the message that answers it."""

    def __init__(self, gateway: Sealed, echo: Sealed) -> None:
        self.deadline = Deadline.after(PATIENCE)
        self.incoming = _incoming(echo, _request(gateway, deadline=self.deadline))
        self.gateway, self.echo = gateway, echo

    def answered(self, by: Sealed | None = None, answer: Answer | None = None, **change: str) -> amqp.Message:
        body, properties = (by or self.echo).reply(self.incoming, answer or Answer(result=raw("hello")))
        return amqp.Message(body, **{**properties, **change})

    def read(self, message: amqp.Message, route: str = ROUTE, deadline: Deadline | None = None) -> Answer:
        return self.gateway.answer(message, route, deadline or self.deadline)


@pytest.fixture
def exchange(gateway: Sealed, echo: Sealed) -> _Exchange:
    return _Exchange(gateway, echo)


@pytest.mark.parametrize("answer", [Answer(result=raw({"a": 1})), Answer(error={"code": "busy"})])
def test_an_answer_arrives_as_it_was_given(exchange: _Exchange, answer: Answer) -> None:
    message = exchange.answered(answer=answer)
    assert exchange.read(message) == answer
    assert message.properties["correlation_id"] == ID


def test_an_answer_from_another_service_is_not_believed(
    exchange: _Exchange, ring: dict[str, Keyring]
) -> None:
    with pytest.raises(Unavailable):
        exchange.read(exchange.answered(by=Sealed(ring["mirror"])))


def test_an_answer_to_another_call_is_not_believed(exchange: _Exchange) -> None:
    with pytest.raises(Unavailable):
        exchange.read(exchange.answered(), route="echo.get_note")
    with pytest.raises(Unavailable):
        exchange.read(exchange.answered(correlation_id="another"))
    with pytest.raises(Unavailable):
        exchange.read(exchange.answered(), deadline=Deadline(exchange.deadline.at + 1))


def test_a_request_is_not_taken_for_an_answer(exchange: _Exchange, ring: dict[str, Keyring]) -> None:
    request = _request(Sealed(ring["gateway"]))
    with pytest.raises(Unavailable):
        exchange.read(request)


def test_an_answer_without_a_correlation_id_is_not_believed(exchange: _Exchange) -> None:
    message = exchange.answered()
    del message.properties["correlation_id"]
    with pytest.raises(Unavailable):
        exchange.read(message)


@given(no_object(80))
def test_an_answer_that_cannot_be_read_is_unavailability(
    gateway: Sealed, ring: dict[str, Keyring], inner: bytes
) -> None:
    deadline = Deadline.after(PATIENCE)
    body = ring["echo"].seal("gateway", inner, deadline.millis, f"{ROUTE}|{ID}|reply".encode())
    with pytest.raises(Unavailable):
        gateway.answer(amqp.Message(body, correlation_id=ID), ROUTE, deadline)
    with pytest.raises(Unavailable):
        gateway.answer(amqp.Message(inner, correlation_id=ID), ROUTE, deadline)
