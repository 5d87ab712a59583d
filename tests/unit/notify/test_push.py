"""The order of a push: connect, ask, number, record, send. Nothing leaves when one of these fails."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, cast

import pytest
from pydantic import SecretStr

from services.contracts.authority import MayKnow, MayKnowAnswers, Principal, Principals
from services.contracts.errors import Unavailable
from services.contracts.paging import Ref
from services.contracts.records import Record
from services.notify.delivering import push as module
from services.notify.delivering.push import Push, Tools
from services.notify.domain.delivery import Attempt, Delivery, Step, Told
from services.notify.settings import NotifySettings
from services.notify.stores.subscriptions import Subscription
from tests.unit.notify.made import AT, checkpoint, item


class Stage:
    """Every collaborator of a push at once; `said` is what they were asked, in order."""

    def __init__(
        self, url: str, *, knows: bool = True, away: str = "", held: bool = True, told: Told | None = None
    ) -> None:
        self.said: list[str] = []
        self.record: Record | None = None
        self.attempt: tuple[Attempt, Step] | None = None
        self._knows, self._away = knows, away
        subscription = Subscription("s1", "a2", "c1", "u9", url, ("*",), b"x" * 32, "k", AT, AT)
        delivery = Delivery("d1", "s1", "c1", told or item(), "pending", None, (), AT, 0, datetime.now(UTC))
        settings = NotifySettings(
            service="notify", rabbitmq_url=SecretStr("amqp://x"), demo=True, notify_retry_first=5
        )
        me = cast(Any, self)
        tools = Tools(me, me, me, me, me, settings)
        self.push = Push(tools, subscription, delivery, "holder", lambda: held)

    def _say(self, what: str) -> None:
        self.said.append(what)
        if what == self._away:
            raise Unavailable(cause="away")

    def call(self, method: str, request: MayKnow, *, reply: type[Any]) -> MayKnowAnswers | Principals:
        self._say("ask")
        if method == "principals":
            agency = Ref(id="a2", name="A")
            told = Principal(kind="client", id="c1", name="C", agency=agency, active=self._knows)
            return Principals(items=(told,), now=AT)
        return MayKnowAnswers(answers=(self._knows,) * len(request.questions))

    def give_number(self, delivery: Delivery, *_: object) -> int:
        self._say("number")
        return delivery.sequence or 7

    def keep(self, record: Record) -> None:
        self.record = record
        self._say("record")

    def open(self, kid: str, sealed: bytes) -> bytes:
        return sealed

    def attempted(self, delivery: Delivery, attempt: Attempt, step: Step) -> None:
        self.attempt = attempt, step
        self._say("attempted")

    def withhold(self, delivery: Delivery) -> None:
        self._say("withhold")

    def put_off(self, delivery: Delivery, due: datetime) -> None:
        self._say("put off")

    def disable(self, subscription_id: str) -> None:
        self._say("disable")

    def fail_all(self, subscription_id: str) -> None:
        self._say("fail all")


class Inlet:
    """A receiver; `stage` is told when something arrives."""

    stage: Stage | None = None
    status = 204

    def __init__(self) -> None:
        inlet = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                if inlet.stage is not None:
                    inlet.stage.said.append("arrived")
                self.send_response(inlet.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def run(self, **given: Any) -> Stage:
        self.stage = Stage(f"http://127.0.0.1:{self.server.server_address[1]}/", **given)
        self.stage.push.run()
        return self.stage


@pytest.fixture
def inlet() -> Iterator[Inlet]:
    made = Inlet()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_it_asks_numbers_records_and_then_sends(inlet: Inlet) -> None:
    stage = inlet.run()
    assert stage.said == ["ask", "number", "record", "arrived", "attempted"]
    assert stage.attempt is not None
    assert (stage.attempt[0].status, stage.attempt[1]) == (204, Step("delivered"))
    assert stage.record is not None
    assert (stage.record.how, stage.record.actor.id, stage.record.actor.accountable_id) == (
        "delivered",
        "c1",
        "u9",
    )
    assert [(one.type, one.id, one.sections) for one in stage.record.objects] == [
        ("case", "k1", ("timeline",))
    ]


def test_who_may_not_know_gets_nothing_and_takes_no_number(inlet: Inlet) -> None:
    assert inlet.run(knows=False).said == ["ask", "withhold"]


@pytest.mark.parametrize("away", ["ask", "number", "record"])
def test_while_a_part_is_away_nothing_is_sent_and_no_attempt_is_burnt(inlet: Inlet, away: str) -> None:
    said = inlet.run(away=away).said
    assert said[-2:] == [away, "put off"]
    assert "arrived" not in said


def test_without_the_lease_nothing_is_sent(inlet: Inlet) -> None:
    assert inlet.run(held=False).said == ["ask", "number", "record", "put off"]


def test_what_was_allowed_too_long_ago_is_asked_anew_and_never_sent_late(
    inlet: Inlet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FRESH", -1.0)
    said = inlet.run().said
    assert said == ["ask", "number", "record"] * module.ASKED_ANEW + ["put off"]


def test_a_checkpoint_names_nobody_and_is_sent_without_a_record(inlet: Inlet) -> None:
    assert inlet.run(told=checkpoint()).said == ["ask", "number", "arrived", "attempted"]


def test_a_client_that_was_deactivated_gets_no_checkpoint(inlet: Inlet) -> None:
    assert inlet.run(told=checkpoint(), knows=False).said == ["ask", "withhold"]


def test_410_disables(inlet: Inlet) -> None:
    inlet.status = 410
    assert inlet.run().said[-3:] == ["attempted", "disable", "fail all"]


def test_nobody_there_is_an_attempt_that_asked_nothing() -> None:
    inlet = Inlet()
    inlet.server.shutdown()
    inlet.server.server_close()
    stage = inlet.run()
    assert stage.said == ["attempted"]
    assert stage.attempt is not None
    assert (stage.attempt[0].error, stage.attempt[1].state) == ("connect", "pending")


def test_an_address_that_is_not_allowed_any_more_is_not_called() -> None:
    stage = Stage("http://127.0.0.1:22/")
    stage.push.run()
    assert stage.attempt is not None
    assert stage.attempt[0].error == "address_not_allowed"
    assert stage.said == ["attempted"]
