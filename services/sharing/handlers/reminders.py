"""Warning, by the clock, whom it concerns before something ends or is overdue."""

from __future__ import annotations

from datetime import UTC, datetime

from services.chassis import context
from services.chassis.commands import Emit
from services.chassis.logs import log
from services.chassis.mongo import Session
from services.chassis.stored import Stored
from services.chassis.timers import every
from services.contracts.alerts import ACCESS_ALERT, ACCESS_REMINDER, AccessAlert, Reminder
from services.contracts.envelope import new_event_id
from services.contracts.messages import Reply, Request
from services.sharing.domain.reminders import Due, Look, addressed, looks, told_of
from services.sharing.handlers.grants import Grants
from services.sharing.stores import reminders
from services.sharing.stores.reminders import ReminderStore

AT_ONCE = {"share": 50, "grant": 50}
MOST = 500
"""Of what is told as an event about a case; and of all else, of which many are told as one."""
TURNS = 20
"""In one turn of the timer."""


class Remind(Request):
    """What the timer does of one warning, as a command of its own."""

    name: str


class Reminded(Reply):
    """Ends that were told of."""

    told: int


class Reminders(Grants):
    reminders: ReminderStore = Stored(ReminderStore, reminders.STEPS)

    @every(5.0)
    def remind(self) -> None:
        """Warn of what ends. Two at once: only one of them moves the mark."""
        for look in looks(datetime.now(UTC)):
            for _ in range(TURNS):
                if not self._look(look):
                    break

    def _look(self, look: Look) -> bool:
        """Whether there may be more."""
        mark = self.reminders.mark(look.name)
        most = AT_ONCE.get(look.subject, MOST)
        found = self.reminders.due(look.subject, look.after(mark), look.until, most)
        more = len(found) == most
        if not found:
            if look.worth_moving(mark):
                self.reminders.move(look.name, look.until)
            return False

        def tell(session: Session, emit: Emit) -> Reminded:
            if self.reminders.mark(look.name, session) != mark:
                return Reminded(told=0)
            self.reminders.move(look.name, found[-1].mark if more else look.until, session)
            ending = told_of(found)
            for due in ending:
                self._tell(look, due, session, emit)
            return Reminded(told=len(ending))

        with context.keyed(new_event_id()):
            told = self.commands.run(Remind(name=look.name), Reminded, tell).told
        if told:
            log.info("reminded", count=told)
        return more

    def _tell(self, look: Look, due: Due, session: Session, emit: Emit) -> None:
        groups = addressed(look.subject, due)
        if look.subject in AT_ONCE:
            number = self.ownerships.count_event(due.object_id, session)
            if number is not None:
                alert = AccessAlert(case_id=due.object_id, alert=look.name, keys=groups[0])
                emit(ACCESS_ALERT, f"cases/{due.object_id}", number, alert)
            return
        for name, keys in zip(_names(look), groups, strict=True):
            told = Reminder(reminder=name, keys=keys, object_id=due.object_id)
            emit(ACCESS_REMINDER, f"reminders/{new_event_id()}", 1, told)


def _names(look: Look) -> tuple[str, ...]:
    """Of a role, the user and the administrators are told in different words."""
    return (look.name, f"role_of_user_ends_{look.days}") if look.subject == "role" else (look.name,)
