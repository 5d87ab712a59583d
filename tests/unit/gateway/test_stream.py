"""The live stream: nothing is written that was not authorised just before, and it ends when it must."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from gateway.asking import Asking
from gateway.changes import LiveChanges, keys_of
from gateway.resources import stream
from gateway.resources.stream import Streams
from gateway.sessions import Place, Sessions
from services.contracts.errors import Unauthenticated, Unavailable
from services.contracts.notify import Change, Changes
from tests.unit.gateway.conftest import TOKEN, Gateway, Played, problem

Frames = dict[str, Any]


def frame(number: int) -> Frames:
    event = {
        "specversion": "1.0",
        "id": f"e-{number}",
        "source": "/concordat/cases",
        "type": "entry.added",
        "time": "2026-11-24T12:00:00Z",
        "subject": "cases/c-1",
        "datacontenttype": "application/json",
        "data": {"case_id": "c-1", "entry_id": "n-1"},
    }
    return {"id": str(number), "type": "entry.added", "event": event}


def batch(*frames: Frames, resume: int, more: bool = False) -> Frames:
    about = {"disclosed": {"entry_id": "d-1", "by": "2026-11-24T12:00:00Z"}} if frames else {}
    return {"frames": list(frames), "resume": str(resume), "more": more, **about}


class Scene:
    """One stream, its `notify` played, its clock hurried."""

    def __init__(self, played: Played) -> None:
        self.played = played
        self.changes: asyncio.Queue[Changes] = asyncio.Queue()
        self.ending = False
        self.live = LiveChanges(self, lambda: self.ending)  # type: ignore[arg-type]
        self.asking = Asking(played, Sessions(secure=False))  # type: ignore[arg-type]
        self.streams = Streams(self.asking, self.live, most=3, each=2)

    async def call(self, service: str, method: str, request: Any, **_more: Any) -> Changes:
        """`notify.changes`."""
        assert (service, method) == ("notify", "changes")
        return Changes(n=0, items=()) if request.after is None else await self.changes.get()

    def told(self, *keys: str, kind: str = "entry.added") -> None:
        self.changes.put_nowait(Changes(n=1, items=(Change(n=1, keys=keys, case_id="c-1", kind=kind),)))

    async def open(self, after: str | None = None) -> AsyncIterator[Any]:
        one = stream._Stream(self.asking, TOKEN, Place(), "request", after)
        first = await one.ask()
        return self.streams._frames(one, first, "u:u-1")

    async def written(self, events: AsyncIterator[Any]) -> str:
        event = await asyncio.wait_for(anext(events), 2)
        return event.serialize().decode() if event is not None else ""


@pytest.fixture
def scene(played: Played, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setattr(stream, "GATHER", 0.0)
    monkeypatch.setattr(stream, "LOOK_EVERY", 0.05)
    played.answers["notify.stream_items"] = batch(resume=7)
    return Scene(played)


def run(test: Callable[[], Any]) -> None:
    asyncio.run(test())


def test_a_stream_begins_with_a_comment_and_goes_on_from_its_resume_point(scene: Scene) -> None:
    async def test() -> None:
        events = await scene.open(after="5")
        assert await scene.written(events) == ""
        scene.played.answers["notify.stream_items"] = batch(frame(8), frame(9), resume=9)
        text = await scene.written(events)
        assert text.startswith(": consultation d-1\nid: 8\nevent: entry.added\ndata: {")
        assert text.count("\n\n") == 2
        data = json.loads(text.split("data: ")[1].split("\n")[0])
        assert data == frame(8)["event"]
        scene.played.answers["notify.stream_items"] = batch(frame(10), resume=10)
        await scene.written(events)
        asked = [given for name, given, _ in scene.played.asked if name == "notify.stream_items"]
        assert [one["after"] for one in asked[:2]] == ["5", "7"]
        assert asked[-1]["after"] == "9"

    run(test)


def test_every_batch_is_identified_anew_under_a_request_id_of_its_own(scene: Scene) -> None:
    async def test() -> None:
        events = await scene.open()
        await scene.written(events)
        scene.played.answers["notify.stream_items"] = batch(frame(8), resume=8)
        await scene.written(events)
        ids = [one["request_id"] for one in scene.played.identified]
        assert len(ids) == len(set(ids)) == len(scene.played.asked)
        assert all(one.startswith("request-") for one in ids)

    run(test)


def test_a_stream_ends_with_its_session_and_writes_nothing(scene: Scene) -> None:
    async def test() -> None:
        events = await scene.open()
        await scene.written(events)
        scene.played.answers["notify.stream_items"] = batch(frame(8), resume=8)
        scene.played.answers["sharing.identify"] = Unauthenticated()
        with pytest.raises(StopAsyncIteration):
            await scene.written(events)
        assert not scene.streams._open

    run(test)


def test_frames_that_come_late_are_asked_for_anew(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        events = await scene.open()
        await scene.written(events)
        late = [True, False]

        def answer(_given: Frames) -> Frames:
            if late.pop(0):
                clock.at += 5.0
            scene.played.answers["notify.stream_items"] = batch(frame(8), resume=8)
            return batch(frame(8), resume=8)

        clock = Clock()
        monkeypatch.setattr(stream, "time", clock)
        scene.played.answers["notify.stream_items"] = answer
        late.append(False)
        assert "id: 8" in await scene.written(events)
        asked = [given for _, given, _ in scene.played.asked]
        assert [one.get("after") for one in asked[-2:]] == ["7", "7"]

    run(test)


def test_while_nobody_answers_a_stream_waits_and_then_ends(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        events = await scene.open()
        await scene.written(events)
        clock = Clock()
        monkeypatch.setattr(stream, "time", clock)
        monkeypatch.setattr(stream, "PAUSE", 0.0)

        def down(_given: Frames) -> Any:
            clock.at += 6.0
            return Unavailable()

        scene.played.answers["notify.stream_items"] = down
        while True:
            try:
                assert await scene.written(events) == ""
            except StopAsyncIteration:
                break
        assert clock.at > stream.UNKNOWN_MOST

    run(test)


def test_news_wake_whom_they_concern(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        monkeypatch.setattr(stream, "LOOK_EVERY", 30.0)
        monkeypatch.setattr(stream, "BEAT_EVERY", 90.0)
        events = await scene.open()
        await scene.written(events)
        waiting = asyncio.ensure_future(scene.written(events))
        await asyncio.sleep(0.05)
        scene.played.answers["notify.stream_items"] = batch(frame(8), resume=8)
        count = len(scene.played.asked)
        scene.told("u:somebody-else")
        await asyncio.sleep(0.05)
        assert len(scene.played.asked) == count
        scene.told("t:t-1")
        assert "id: 8" in await waiting

    run(test)


def test_a_page_hears_that_access_to_its_case_was_narrowed(scene: Scene) -> None:
    async def test() -> None:
        with scene.live.listening() as listener:
            listener.case_id = "c-1"
            await listener.wait(1.0)
            scene.told("u:somebody-else", kind="share.revoked")
            assert await listener.wait(1.0)
            assert listener.lost
        await scene.live.stop()

    run(test)


def test_streams_end_when_the_process_does(scene: Scene) -> None:
    async def test() -> None:
        events = await scene.open()
        await scene.written(events)
        scene.ending = True
        with pytest.raises(StopAsyncIteration):
            await scene.written(events)

    run(test)


def test_who_may_not_is_told_before_the_stream_begins(gateway: Gateway, played: Played) -> None:
    assert problem(gateway.ask("GET", "/stream", headers={"Last-Event-ID": "$ne"})) == (400, "malformed")
    played.answers["sharing.identify"] = Unauthenticated()
    assert problem(gateway.ask("GET", "/stream")) == (401, "unauthenticated")


def test_the_keys_of_a_caller() -> None:
    assert keys_of('{"kind":"user","id":"u","team_ids":["a"],"name":"x"}') == {"u:u", "t:a"}
    assert keys_of('{"kind":"client","id":"c"}') == {"c:c"}
    officer = '{"kind":"user","id":"u","agency_id":"a","roles":["agency_dpo","partnership_dpo"]}'
    assert keys_of(officer) == {"u:u", "o:agency_dpo.a", "o:partnership_dpo"}


class Clock:
    """In the place of `time`."""

    def __init__(self) -> None:
        self.at = 0.0
        self._began = time.monotonic()

    def monotonic(self) -> float:
        return self._began + self.at
