"""One look at the log: fetch, judge, remember, cosign, publish; in this order, so that what was signed is
remembered."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from deploy.witness.judging import Alarm, Found, Seen, judge, opened
from deploy.witness.keeping import Memory
from deploy.witness.notes import LogKey, Unusable, Wrong, decode
from deploy.witness.signing import WitnessKey

BEHIND_SECONDS = 10.0


class Log(Protocol):
    """The log as its HTTP API shows it. Raises Unreachable."""

    def latest(self) -> str: ...
    def consistency(self, since: int, until: int) -> list[str]: ...
    def publish(self, note: str, verifier_key: str) -> None: ...


class Unreachable(Exception):
    """The log did not answer, or refused; it is asked again later."""


class Unproved(Exception):
    """The log does not give the proof of what it has shown."""


@dataclass
class Watch:
    """`pause` between looks at a log that shows less than before, until it is taken to have gone back."""

    log: Log
    keys: Sequence[LogKey]
    key: WitnessKey
    memory: Memory
    behind: float = BEHIND_SECONDS
    pause: Callable[[float], None] = time.sleep
    _proof: list[bytes] = field(default_factory=list)
    _unpublished: str | None = None

    def look(self) -> tuple[Found, Seen]:
        """Raises Alarm, with evidence kept and the log told; Wrong for what is no checkpoint of this log;
        Unreachable, Unusable."""
        give_up = time.monotonic() + self.behind
        while True:
            before, note = self.memory.last(), self.log.latest()
            seen = opened(note, self.keys)
            self._proof = []
            try:
                found = judge(before, seen, self.fetch)
                if found != "behind":
                    self._go_on(found, seen)
                    return found, seen
                alarm = Alarm("rollback", "the log has gone back, behind what it had signed")
            except Unproved:
                alarm = Alarm("unproved", "the log does not prove that it goes on with what was seen")
            except Alarm as certain:
                assert before is not None
                self._tell(certain, before, note)
                raise
            # A slow copy of the log may not be there yet: only what stays so is an alarm.
            if time.monotonic() >= give_up:
                assert before is not None
                self._tell(alarm, before, note)
                raise alarm
            self.pause(1.0)

    def _go_on(self, found: Found, seen: Seen) -> None:
        if found == "grown":
            self._unpublished = seen.note + self.key.line(seen.text, int(time.time()))
            self.memory.keep(seen, self._unpublished)
        if self._unpublished is not None:
            self.log.publish(self._unpublished, str(self.key))
            self._unpublished = None

    def fetch(self, since: int, until: int) -> Sequence[bytes]:
        """A proof, kept as evidence; what is none is one that proves nothing. Raises Unproved."""
        try:
            self._proof = [decode(one) for one in self.log.consistency(since, until)]
        except Wrong:
            self._proof = [b""]
        return self._proof

    def _tell(self, alarm: Alarm, before: Seen, shown: str) -> None:
        """The log is told what it had signed: an honest operator's service alarms as well."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self.memory.accuse(alarm, now, before, shown, self._proof)
        with suppress(Unreachable, Unusable):  # it has been told of here, which is what counts
            self.log.publish(before.note, str(self.key))
