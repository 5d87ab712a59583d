"""Records come in, and are kept in the log; what did not get done at once is done by a timer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from services.audit.domain.notes import Signer
from services.audit.stores.tree import Forked, OtherLog
from services.audit.stores.writer import LogWriter
from services.chassis.intake import Taken, intake
from services.chassis.logkeys import LogKeys
from services.chassis.timers import every
from services.contracts.errors import Unavailable
from services.contracts.records import Mark, Record


class IntakeHandlers:
    """The log grows."""

    writer: LogWriter
    signing: LogKeys

    @intake(Record, marks=Mark)
    def take_records(self, batch: Sequence[Taken[Record] | Taken[Mark]]) -> None:
        """Return when a majority has all of them in the log. Raises Unavailable: they wait in their queue."""
        records = [taken.record for taken in batch if isinstance(taken.record, Record)]
        try:
            if records:
                self.writer.append(records, self._signer(), again=any(taken.again for taken in batch))
            self.writer.hear([taken.record for taken in batch if isinstance(taken.record, Mark)])
        except (Forked, OtherLog) as problem:
            # No fault of the records: people have to look, and nothing more may be signed until then.
            raise Unavailable(cause=type(problem).__name__) from problem

    @every(1.0)
    def catch_up(self) -> None:
        """Sign what a writer that died has left unsigned; the first time, the empty log."""
        self.writer.seal(self._signer())

    @every(5.0)
    def look_for_gaps(self) -> None:
        """Alarm numbers that did not arrive, and processes that fell silent."""
        now = datetime.now(UTC)
        self.writer.alarm_gaps(now)
        self.writer.alarm_silence(now)

    def _signer(self) -> Signer:
        newest, *older = self.signing.in_force() or (None,)
        if newest is None:
            raise Unavailable(cause="no key of the log is in force")
        return Signer(self.signing.origin, newest, tuple(older))
