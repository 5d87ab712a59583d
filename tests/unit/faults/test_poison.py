"""The poison: enough shapes, all different; those that echo cannot open are those that must be put aside."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import amqp
import pytest

from services.chassis import keys
from services.chassis.formats import Sealed
from services.chassis.payload import BODY_LIMIT
from services.chassis.sealing import CONTENT_TYPE, Keyring
from services.contracts.echo import NOTE_CHANGED, NoteChanged
from services.contracts.envelope import MEDIA_TYPE, Event
from services.contracts.errors import Malformed, Unauthenticated
from tests.faults.kinds.poisoning import SHAPES, without_right
from tests.faults.poison import events, replies, requests
from tests.faults.poison.shapes import Material, RawHeaders, Sent, Shape

REPLY_QUEUE = "rpc.reply-gateway-1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    keys.make(folder, ["gateway", "echo"], time.time())
    return folder


@pytest.fixture(scope="module")
def material(folder: Path) -> Material:
    honest = Keyring(folder, "gateway")
    event = Event.of("echo", NOTE_CHANGED, "notes/n", 7, NoteChanged(note_id="n"), now=datetime.now(UTC))
    return Material(
        request=_request(honest, time.time() + 4),
        expired=_request(honest, time.time() - 4),
        event=amqp.Message(event.to_json(), content_type=MEDIA_TYPE, message_id=event.id),
        reply=amqp.Message(bytes(100), content_type=CONTENT_TYPE, correlation_id="c"),
        reply_queue=REPLY_QUEUE,
        honest=honest,
        false=without_right(folder, folder / "f", "gateway", _kid(folder)),
        unknown=without_right(folder, folder / "u", "stranger", "0badcafe"),
        deadline=int((time.time() + 4) * 1000),
    )


def test_there_are_at_least_forty_all_with_names_of_their_own() -> None:
    assert len({shape.name for shape in SHAPES}) == len(SHAPES) >= 40
    assert {shape.fate for shape in SHAPES} == {"dead echo", "dead mirror", "gone"}
    assert all(len(module.SHAPES) > 10 for module in (requests, events, replies))


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_each_can_be_published(shape: Shape, material: Material) -> None:
    sent = shape.make(material)
    assert sent.message.properties is not None
    assert len(sent.message._serialize_properties()) >= 2


@pytest.mark.parametrize("shape", requests.SHAPES, ids=lambda shape: shape.name)
def test_a_request_that_cannot_be_opened_is_one_to_put_aside(
    shape: Shape, material: Material, folder: Path
) -> None:
    sent = shape.make(material)
    if _is_for_the_wire(sent):
        pytest.skip("py-amqp cannot read it, or its size alone condemns it")
    try:
        Sealed(Keyring(folder, "echo")).incoming(sent.message, sent.routing_key, 4.0)
    except (Malformed, Unauthenticated):
        assert shape.fate == "dead echo"
    else:
        assert shape.fate == "gone"


def _is_for_the_wire(sent: Sent) -> bool:
    texts = [*sent.message.properties.values(), sent.routing_key]
    return (
        isinstance(sent.message, RawHeaders)
        or any(not isinstance(text, str) for text in texts)
        or len(sent.message.body) > BODY_LIMIT
    )


def _request(keyring: Keyring, until: float) -> amqp.Message:
    call = json.dumps({"kwargs": {"request": requests.GOOD}, "key": "key-of-a-true-command"}).encode()
    context = f"{requests.ROUTE}|c|{REPLY_QUEUE}".encode()
    body = keyring.seal("echo", call, int(until * 1000), context)
    return amqp.Message(body, content_type=CONTENT_TYPE, correlation_id="c", reply_to=REPLY_QUEUE)


def _kid(folder: Path) -> str:
    return str(json.loads((folder / "gateway" / "private.json").read_text())[0]["kid"])
