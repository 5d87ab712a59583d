"""Services that do what makes trouble, for the tests of calls and of the platform."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import Any

import eventlet
from eventlet.patcher import original
from pymongo import ReturnDocument

from services.chassis.client import Peer, Remote
from services.chassis.commands import CommandLog, Commands, Emit
from services.chassis.events import subscribe
from services.chassis.mongo import Mongo, Session
from services.chassis.offload import heavy
from services.chassis.rpc import ANYONE, command, rpc
from services.chassis.stored import Stored
from services.contracts.caller import Caller
from services.contracts.echo import NOTE_CHANGED, Said, Say
from services.contracts.envelope import Event
from services.contracts.messages import Moment, Reply, Request
from services.mirror.store import STEPS, MirrorStore

blocking_sleep = original("time").sleep
"""Does not let the hub turn."""


class Settle(Request):
    """Take effect once. Only the first attempt takes its time."""

    tag: str
    takes: float = 0
    blocking: bool = False


class Settled(Reply):
    """It took effect."""

    tag: str


class When(Reply):
    """A moment."""

    at: Moment


class TriedService:
    """Records in its database what ran: `runs` {tag, pid}, `attempts` {_id: tag, count, pid}, `effects`
    {tag}."""

    name = "tried"

    database: Any = Mongo()
    commands: CommandLog = Commands()
    absent: Peer = Remote("absent")
    once: Peer = Remote("once")
    silent: Peer = Remote("silent")
    nobody: Peer = Remote("nobody")

    @rpc(callers=ANYONE)
    def record(self, tag: str, takes: float = 0) -> int:
        """Run, and say where."""
        self.database["runs"].insert_one({"tag": tag, "pid": os.getpid()})
        eventlet.sleep(takes)
        return os.getpid()

    @command(callers=ANYONE)
    def settle(self, request: Settle) -> Settled:
        row = self.database["attempts"].find_one_and_update(
            {"_id": request.tag},
            {"$inc": {"count": 1}, "$set": {"pid": os.getpid()}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        if row["count"] == 1:
            (blocking_sleep if request.blocking else time.sleep)(request.takes)

        def body(session: Session, emit: Emit) -> Settled:
            self.database["effects"].insert_one({"tag": request.tag}, session=session)
            return Settled(tag=request.tag)

        return self.commands.run(request, Settled, body)

    @rpc(callers=ANYONE)
    def time_out(self) -> None:
        """Raises what is no Exception."""
        with eventlet.Timeout(0.01):
            eventlet.sleep(60)

    @rpc(callers=ANYONE)
    def ask(self, peer: str, asks: str) -> Any:
        """Call another service, without arguments."""
        called: Peer = getattr(self, peer)
        return called.call(asks)

    @rpc(callers=ANYONE)
    def crunch(self, tag: str, takes: float) -> str:
        """Work that would block the hub, done beside it."""
        self.database["runs"].insert_one({"tag": tag, "pid": os.getpid()})
        heavy(blocking_sleep, takes)
        return tag

    @rpc(callers=ANYONE)
    def moment(self) -> When:
        return When(at=datetime.now(UTC))

    @rpc
    def who(self, request: Say, caller: Caller) -> Said:
        """Only for a caller that `sharing` has signed for."""
        return Said(text=f"{caller.id}: {request.text}")

    @rpc(callers=("echo",))
    def only_for_echo(self) -> str:
        return "echo"

    @rpc(callers=("gateway",))
    def only_for_gateway(self) -> str:
        return "gateway"


class OnceService(TriedService):
    """The same under a name that a test has for itself."""

    name = "once"


class RenamedMirror:
    """A mirror whose handler has got another name."""

    name = "mirror"

    notes: MirrorStore = Stored(MirrorStore, STEPS)

    @subscribe("echo", NOTE_CHANGED)
    def follow_the_note(self, event: Event, session: Session) -> None:
        self.notes.follow(str(event.data["note_id"]), event.number, event.id, session)
