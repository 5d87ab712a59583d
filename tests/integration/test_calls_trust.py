"""Who may ask what, and what others see of it. On the real broker, with real processes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.chassis import keys
from services.chassis.callers import AUTHORITY, PURPOSE
from services.chassis.mongo import connect
from services.chassis.payload import raw
from services.chassis.sealing import Keyring
from services.chassis.topology import CALLS
from services.contracts.caller import Caller, SignedCaller, hash_arguments, sign
from services.contracts.directory import Shape
from services.contracts.echo import ChangeNote, GetNote, Note, Said, Say
from services.contracts.envelope import Event
from tests.cell import Parts
from tests.integration.calling import ECHO, ONCE, TRIED, Calling, Ear, Seal, green_client, instances
from tests.waiting import until

SHAPES = {
    "tried": Shape(serves=True, emits=True),
    "once": Shape(serves=True, emits=True),
}
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(scope="module", autouse=True)
def fleet(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One of each."""
    parts.declare(SHAPES)
    with instances(parts, tmp_path_factory.mktemp("logs"), TRIED, ONCE, ECHO):
        yield


def signed(parts: Parts, authority: str, request: Say, **changed: Any) -> SignedCaller:
    """A caller for `tried.who` and these arguments, signed by `authority`."""
    now = datetime.now(UTC)
    caller = Caller.model_validate(
        {
            "kind": "user",
            "id": "u-1",
            "agency_id": "a-1",
            "device_class": "managed",
            "audience": "tried",
            "method": "who",
            "args_hash": hash_arguments(bytes(raw(request))),
            "request_id": "r-1",
            "now": now,
            "expires_at": now + timedelta(seconds=10),
            **changed,
        }
    )
    return sign(caller, Keyring(parts.keys_dir, authority).shared_secrets("tried", PURPOSE)[0])


def test_a_caller_is_believed_for_exactly_what_sharing_signed(calling: Calling, parts: Parts) -> None:
    say, other = Say(text="hello"), Say(text="hullo")
    good = signed(parts, AUTHORITY, say)
    assert calling.ask("tried.who", say, caller=good, request_id="r-1", reply=Said).text == "u-1: hello"
    past = datetime.now(UTC) - timedelta(seconds=1)
    refused: list[tuple[str, Say, SignedCaller | None]] = [
        ("tried.who", other, good),
        ("tried.who", say, None),
        ("tried.settle", say, good),
        ("tried.who", say, signed(parts, "gateway", say)),
        ("tried.who", say, signed(parts, AUTHORITY, say, audience="echo")),
        ("tried.who", say, signed(parts, AUTHORITY, say, method="settle")),
        ("tried.who", say, signed(parts, AUTHORITY, say, expires_at=past)),
        ("tried.who", say, SignedCaller(good.body.replace(b"u-1", b"u-2"), good.mac)),
        ("echo.say", say, good),
    ]
    codes = [
        calling.code(
            route, request, caller=caller, request_id="r-1", key="k" if route == "tried.settle" else None
        )
        for route, request, caller in refused
    ]
    assert codes == ["unauthenticated"] * len(refused)


def test_a_caller_is_for_one_request_and_one_idempotency_key(calling: Calling, parts: Parts) -> None:
    say = Say(text="hello")
    good = signed(parts, AUTHORITY, say)
    assert calling.code("tried.who", say, caller=good, request_id="r-2") == "unauthenticated"
    assert calling.code("tried.who", say, caller=good, request_id="r-1", key="any") == "unauthenticated"


def test_a_service_that_may_not_ask_is_refused(calling: Calling) -> None:
    assert calling.ask("tried.only_for_gateway") == "gateway"
    assert calling.code("tried.only_for_echo") == "refused"
    assert calling.code("tried.ask", peer="once", asks="only_for_gateway") == "refused"


def test_while_keys_are_rotated_no_call_fails(
    calling: Calling, parts: Parts, ear: Ear, tmp_path: Path
) -> None:
    """Both ends of one way at once. A process looks for new keys every two seconds."""
    before = {row.kid for row in keys.listed(parts.keys_dir)}
    codes = []
    with green_client(parts, tmp_path, seconds=5) as end:
        new = {
            name: keys.rotate(parts.keys_dir, name, time.time(), start_after=2.8, overlap=1.5)
            for name in ("tried", "gateway")
        }
        last = max(row.until for row in keys.listed(parts.keys_dir) if row.kid in before and row.until)
        while time.time() < last + 0.3:
            codes += [calling.code("tried.record", tag="turning", seconds=5) for _ in range(5)]
        told = end()
    assert len(codes) > 50
    assert set(codes) | {code for code, _ in told} == {"ok"}
    heard = ear.listen()
    assert calling.code("tried.record", tag="turned") == "ok"
    asked, answered = (Seal.of(message.body) for message in ear.taken(heard))
    assert (asked.sender, asked.senders_kid, asked.receivers_kid) == (
        "gateway",
        new["gateway"],
        new["tried"],
    )
    assert (answered.sender, answered.senders_kid) == ("tried", new["tried"])


def test_the_broker_sees_nothing_of_what_is_said_and_keeps_none_of_it(
    calling: Calling, ear: Ear, tag: str
) -> None:
    mark = f"Mrs Hollis {tag}"
    calls, events = ear.listen(CALLS), ear.listen("echo.events")
    assert calling.ask("echo.say", Say(text=mark), reply=Said).text == mark
    assert calling.code("echo.change_note", ChangeNote(note_id=tag, text=mark), key=mark) == "ok"
    assert calling.ask("echo.get_note", GetNote(note_id=tag), reply=Note).text == mark
    passed, told = ear.taken(calls), until(lambda: ear.taken(events))
    assert len(passed) == 6
    assert len(told) == 1
    for message in passed + told:
        seen = repr((message.properties, message.headers, message.delivery_info)).encode() + message.body
        assert not [word for word in (b"Hollis", mark.encode()) if word in seen]
    assert {message.properties["delivery_mode"] for message in passed} == {1}
    assert all(tag.encode() not in message.body for message in passed)


def test_a_trace_passes_from_the_call_into_its_event(calling: Calling, parts: Parts, tag: str) -> None:
    request = ChangeNote(note_id=tag, text="text")
    assert calling.code("echo.change_note", request, key=tag, traceparent=TRACE) == "ok"
    with connect(parts.mongo_url("echo"), app="test") as client:
        row: Any = client["echo"]["commands"].find_one({"events.aggregate": f"notes/{tag}"})
    event = Event.from_json(bytes(row["events"][0]["body"]))
    assert event.traceparent is not None
    assert event.traceparent[:35] == TRACE[:35]
