"""How every handler comes to a case: parse → decide → record → reveal.

`open` gives the case and how the caller stands to it, or records the refusal and raises it. What is shown of
a case is read before the case document is read for the last time, so that nothing shown is newer than the
list that it is judged by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from services.cases.domain import recording
from services.cases.domain.case import Case
from services.cases.domain.recording import Act
from services.cases.domain.showing import updated_at
from services.cases.handlers.new_lists import NewLists
from services.cases.stores.cases import Moved
from services.cases.stores.decoys import NOBODY
from services.cases.stores.reads import ReadStore
from services.cases.stores.reasons import ReasonStore
from services.cases.turns import Turns
from services.chassis.commands import CommandLog, Emit
from services.chassis.mongo import Session
from services.chassis.recording import Keeper
from services.contracts.access import Decision, Standing, decide, has_role, keys_of
from services.contracts.caller import Caller
from services.contracts.cases.cases import MoveCase, PatchCase, PutCaseSubject, RemoveCaseSubject
from services.contracts.cases.entries import AddEntry, ReviseEntry, WithdrawEntry
from services.contracts.cases.tasks import AddTask, ChangeTask
from services.contracts.errors import (
    ConcordatError,
    IfMatchRequired,
    NotVisible,
    ReasonRequired,
    Refused,
    RoleRequired,
    Stale,
    Unavailable,
)
from services.contracts.messages import Reply
from services.contracts.records import Object, Record
from services.contracts.views import Disclosed
from services.contracts.vocabulary import AccessReason

TRIES = 50
"""How often one decides again because the case moved under it; the deadline of the call ends it sooner."""

_TURNS = Turns()

CaseCommand = (
    PatchCase
    | MoveCase
    | PutCaseSubject
    | RemoveCaseSubject
    | AddEntry
    | ReviseEntry
    | WithdrawEntry
    | AddTask
    | ChangeTask
)
"""Commands on one case."""
Told = TypeVar("Told", bound=Reply)
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Opened:
    """A case that the caller may act on, how it stands to it, and the reason that it gave."""

    case: Case
    standing: Standing
    reason: AccessReason | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """One run of a command's body: what was decided on, for whom, in which transaction."""

    opened: Opened
    caller: Caller
    session: Session
    emit: Emit

    @property
    def case(self) -> Case:
        return self.opened.case


class Casework(NewLists):
    """What the handlers of this service share."""

    reasons: ReasonStore
    reads: ReadStore
    records: Keeper
    commands: CommandLog

    # --- one case ---

    def open(
        self, case_id: str, caller: Caller, act: Act, access_reason: AccessReason | None = None
    ) -> Opened:
        """Raises NotVisible, RoleRequired, NotOwner, LevelTooLow, ReasonRequired, each recorded."""
        case = self.current(case_id, caller)
        decision = self.decide(case, caller, act)
        if not decision.allowed:
            self.refuse(case, caller, act, decision)
        standing = decision.require()
        return Opened(case, standing, self._reason(case, caller, act, access_reason))

    def decide(self, case: Case, caller: Caller, act: Act) -> Decision:
        return decide(caller, case.acl, act.permit, section=act.section, about=case.about)

    def refuse(self, case: Case, caller: Caller, act: Act, decision: Decision) -> NoReturn:
        """Record why, and raise it."""
        assert decision.refusal is not None
        self.refuse_with(case, caller, act, decision.refusal)

    def refuse_with(self, case: Case, caller: Caller, act: Act, problem: ConcordatError) -> NoReturn:
        owner = case.acl.owner.agency.id
        # The decoy's is told to the log as what it is: nobody's.
        agency_id = None if owner == NOBODY else owner
        self.records.keep(recording.refused(act, caller, case.id, agency_id, problem))
        raise problem

    def consistently(
        self,
        opened: Opened,
        caller: Caller,
        act: Act,
        read: Callable[[Opened], Found],
    ) -> tuple[Opened, Found]:
        """What `read` finds in the case, and the case as it was after that: the list did not move between."""
        for _ in range(TRIES):
            found = read(opened)
            case = self.current(opened.case.id, caller).judged_by(opened.case.acl)
            decision = self.decide(case, caller, act)
            if not decision.allowed:
                self.refuse(case, caller, act, decision)
            latest = Opened(case, decision.require(), opened.reason)
            if case.acl.version == opened.case.acl.version:
                return latest, found
            opened = latest
        raise Unavailable(cause="the access list keeps moving")

    def tell(self, record: Record) -> Disclosed:
        """Record what is about to be shown; what the answer says about it."""
        self.records.keep(record)
        return recording.disclosed(record)

    def show(self, act: Act, caller: Caller, opened: Opened, objects: Iterable[Object]) -> Disclosed:
        return self.tell(
            recording.shown(act, caller, objects, reason=opened.reason, use=opened.case.template)
        )

    # --- many cases ---

    def require_role(self, caller: Caller, act: Act) -> None:
        """For methods about no case: `sharing` has looked already, and this is the holder's own look."""
        if not has_role(caller, act.permit):
            raise RoleRequired

    # --- why ---

    def _reason(
        self, case: Case, caller: Caller, act: Act, given: AccessReason | None
    ) -> AccessReason | None:
        """The reason of a person from another agency. Raises ReasonRequired, recorded."""
        if not act.reads or caller.kind != "user" or caller.agency_id == case.acl.owner.agency.id:
            return given
        session = caller.session_id or caller.id
        if given is not None:
            self.reasons.remember(session, case.id, given)
            return given
        remembered = self.reasons.find(session, case.id)
        if remembered is None:
            self.refuse_with(case, caller, act, ReasonRequired())
        return remembered

    # --- changes ---

    def change(
        self,
        act: Act,
        caller: Caller,
        request: CaseCommand,
        reply: type[Told],
        body: Callable[[Work], Told],
        *,
        last: Callable[[], None] | None = None,
    ) -> tuple[Opened, Told, bool]:
        """Decide, then run `body` as a command, as often as the case moves in between. What `body` records
        it keeps itself; or `last` does, before the commit, and then nothing is looked up beforehand.

        Returns what was decided on, the outcome, and whether this very call made it: else it was told what
        an earlier one with the same key came to, and nothing was changed or recorded. Refusals are recorded.
        """
        for attempt in range(TRIES):
            opened = self.open(request.case_id, caller, act)
            if attempt == 0 and last is None and (first := self.commands.done(request, reply)) is not None:
                return opened, first, False
            made: list[Told] = []

            def run(session: Session, emit: Emit, opened: Opened = opened, made: list[Told] = made) -> Told:
                made.append(body(Work(opened, caller, session, emit)))
                return made[-1]

            try:
                with _TURNS.of(request.case_id):
                    told = self.commands.run(request, reply, run, last=last)
            except Moved:
                continue
            except (Refused, NotVisible) as problem:
                self.refuse_with(opened.case, caller, act, problem)
            else:
                return opened, told, bool(made) and told is made[-1]
        raise Unavailable(cause="the case keeps moving")

    def followed(self, before: Case, after: Case, caller: Caller, standing: Standing) -> None:
        """Its own change is nothing unread for the caller."""
        self.reads.follow(
            keys_of(caller)[0],
            after.id,
            updated_at(before, caller, standing),
            updated_at(after, caller, standing),
        )


def check_match(if_match: str | None, etag: str | None) -> None:
    """Raises IfMatchRequired, Stale with the present ETag."""
    if if_match is None:
        raise IfMatchRequired
    if if_match not in ("*", etag):
        raise Stale(etag=etag)


def there(found: Found | None) -> Found:
    """Raises NotVisible."""
    if found is None:
        raise NotVisible
    return found
