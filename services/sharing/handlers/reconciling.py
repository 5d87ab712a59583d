"""Mending a `sharing` that was put back too old, from what the holder of the cases knows. A timer: it is not
asked for over the bus; `services/sharing/reconcile.py` asks in the database.

Parts, in order: begin (a new term; all sessions end), held (every case that `cases` has), own (those that it
has not), end (serve again). Each page's place is kept, so that another process can go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from services.chassis import context
from services.chassis.client import Peer, Remote
from services.chassis.logs import log
from services.chassis.mongo import Session
from services.chassis.stored import Stored
from services.chassis.timers import every
from services.contracts.access import AccessList
from services.contracts.authority import CasesKnown, GetCasesKnown
from services.contracts.envelope import new_event_id
from services.contracts.errors import ConcordatError, Unavailable
from services.contracts.paging import Ref
from services.contracts.records import Actor, Object, Record
from services.contracts.restores import (
    PAGE,
    EventsHeard,
    GetEventsHeard,
    GetListsHeld,
    HeldList,
    ListsHeld,
    UnreadableList,
)
from services.sharing.domain.entries import case_object, share_object
from services.sharing.domain.mending import Facts, Mended, Told, mend, unheld, unread
from services.sharing.domain.ownership import Ownership
from services.sharing.domain.regime import regime_of
from services.sharing.domain.standing import Standing
from services.sharing.handlers.noticing import Noticing
from services.sharing.stores.people import UserStore
from services.sharing.stores.reconciling import Job, ReconcileStore
from services.sharing.stores.standing import StandingStore
from services.sharing.stores.steps import STEPS

Make = Callable[[Ownership | None], Mended | None]
"""None: there is nothing to put in its place."""

TURN = 15.0
"""Seconds of work before the place is left to others for a moment."""


class Reconciling(Noticing):
    reconciling: ReconcileStore = Stored(ReconcileStore, STEPS)
    standing: StandingStore = Stored(StandingStore, STEPS)
    users: UserStore = Stored(UserStore, STEPS)
    notify: Peer = Remote("notify")

    @every(0.5)
    def reconcile(self) -> None:
        """Go on with what an operator has asked for, if anything."""
        job = self.reconciling.job()
        if job is None or job.state == "done":
            return
        until = time.monotonic() + TURN
        try:
            while time.monotonic() < until and self.reconciling.take():
                # What another did in between is not done again: its place is what counts.
                job = self._go_on(self.reconciling.job() or job)
                if job.state == "done":
                    break
        except ConcordatError as problem:
            log.warning("reconcile_interrupted", step=job.part, code=problem.code)
        finally:
            self.reconciling.release()

    def _go_on(self, job: Job) -> Job:
        if job.state == "done":
            return job
        parts = {
            "begin": self._begin_mending,
            "held": self._mend_held,
            "own": self._mend_own,
            "end": self._end_mending,
        }
        after = parts[job.part](job)
        if job.part != "end":
            self.reconciling.put(after)
        return after

    def _begin_mending(self, job: Job) -> Job:
        found = self.marks.read()
        seen, as_of = (found.restored.seen, found.restored.as_of) if found.restored else (None, None)
        begun = job.model_copy(update={"state": "running", "part": "held", "seen": seen, "as_of": as_of})
        if job.check:
            return begun
        if seen is None:  # it was not noticed, and nobody said so
            return job.model_copy(update={"state": "done", "ended_at": datetime.now(UTC)})
        term = max(found.mark.term, seen.term) + 1
        begun = begun.model_copy(update={"term": term})

        def renew(session: Session) -> None:
            self.marks.renew(term, session)
            self.reconciling.put(begun, session)

        self.reconciling.end_sessions()
        self.reconciling.transact(renew)
        return begun

    def _mend_held(self, job: Job) -> Job:
        told: ListsHeld = self.cases.call("lists_held", GetListsHeld(after=job.after), reply=ListsHeld)
        damaged = [one.case_id for one in told.unreadable]
        whole = [one.list.case_id for one in told.items]
        ids = sorted((*whole, *damaged))
        if not ids:
            return job.model_copy(update={"part": "own", "after": None})
        heard, standing = self._heard_of(ids), self.standing.load()
        for one in told.items:
            self._mend_case(job, one.list.case_id, self._by_the_holder(job, one, standing, heard))
        for left in told.unreadable:
            self._mend_case(job, left.case_id, self._by_what_is_left(job, left, standing, heard))
        # A damaged one is replaced by the timer of fences, or stays shut: nobody waits for it.
        self._give_lists(job, whole)
        counted = {"cases": job.cases + len(ids), "unreadable": job.unreadable + len(damaged)}
        return job.model_copy(update={"after": ids[-1], **counted})

    def _mend_own(self, job: Job) -> Job:
        """What `cases` did not name: registrations, which are swept when their time comes, and lost cases."""
        found = self.ownerships.of_another_term(job.term, job.after, PAGE)
        if not found:
            return job.model_copy(update={"part": "end", "after": None})
        ids = [one.case_id for one in found]
        there, heard = self._there(ids), self._heard_of(ids)
        for one in found:
            if not (job.check and one.case_id in there):  # that was looked at beside the list that is held
                self._mend_case(job, one.case_id, self._by_itself_alone(job, heard))
        self._give_lists(job, ids)
        return job.model_copy(update={"after": ids[-1]})

    def _end_mending(self, job: Job) -> Job:
        update = {
            "state": "done",
            "ended_at": datetime.now(UTC),
            "differing": self.reconciling.count(job.run),
        }
        done = job.model_copy(update=update)

        def end(session: Session) -> None:
            if job.seen is not None and not job.check:
                self.marks.mended(job.seen, datetime.now(UTC), session)
            self.reconciling.put(done, session)

        self.reconciling.transact(end)
        log.info("reconciled", kind="check" if done.check else "done", count=done.differing)
        return done

    # one case

    def _mend_case(self, job: Job, case_id: str, make: Make) -> None:
        """Read after the holder's list: of a sound `sharing` nothing is behind that."""
        if job.check:
            mended = make(self.ownerships.find(case_id))
            told = _shut(case_id) if mended is None else mended.told
            if told:
                self.reconciling.tell(job.run, case_id, told, datetime.now(UTC))
            return

        def body(session: Session) -> None:
            copy = self.ownerships.find(case_id, session)
            if copy is None or copy.term != job.term:  # else it was done, and told, before an interruption
                mended = make(copy)
                if mended is None:
                    self.reconciling.tell(job.run, case_id, _shut(case_id), datetime.now(UTC), session)
                else:
                    self._put_mended(job, mended, session)

        self.reconciling.transact(body)

    def _put_mended(self, job: Job, mended: Mended, session: Session) -> None:
        after, now = mended.after, datetime.now(UTC)
        self.ownerships.put_back(after, mended.past, session)
        self.fences.raise_fence(
            after.case_id, after.epoch, mended.agencies, narrowing=bool(mended.told), now=now, session=session
        )
        if mended.told:
            self.reconciling.tell(job.run, after.case_id, mended.told, now, session)
            self.records.keep(_record(after, mended, now))

    def _by_the_holder(self, job: Job, held: HeldList, standing: Standing, heard: Mapping[str, int]) -> Make:
        facts = self._facts(job, held.list, held.opened_at, standing, heard)
        return lambda copy: mend(copy, held.list, facts)

    def _by_what_is_left(
        self, job: Job, left: UnreadableList, standing: Standing, heard: Mapping[str, int]
    ) -> Make:
        def make(copy: Ownership | None) -> Mended | None:
            owner = left.owner or (copy.owner if copy is not None else None)
            if owner is None:
                return None
            acl = AccessList(case_id=left.case_id, term=0, epoch=0, owner=owner)
            return unread(copy, acl, self._facts(job, acl, left.opened_at, standing, heard))

        return make

    def _facts(
        self, job: Job, acl: AccessList, opened_at: datetime, standing: Standing, heard: Mapping[str, int]
    ) -> Facts:
        people = self.users.known(acl.excluded) if acl.excluded else {}
        agencies = standing.agencies
        owners = agencies.get(acl.owner.agency.id)
        return Facts(
            term=job.term,
            now=datetime.now(UTC),
            opened_at=opened_at,
            heard=heard.get(acl.case_id, 0),
            regime=regime_of(owners.type, None) if owners else "uk_gdpr",
            people={
                one.id: (
                    Ref(id=one.id, name=one.name),
                    Ref(id=one.agency_id, name=agencies[one.agency_id].name),
                )
                for one in people.values()
                if one.agency_id in agencies
            },
            new_id=new_event_id,
        )

    def _by_itself_alone(self, job: Job, heard: Mapping[str, int]) -> Make:
        def make(copy: Ownership | None) -> Mended:
            if copy is None:  # nothing takes ownerships away while nothing is served
                raise Unavailable(cause="an ownership went away")
            return unheld(copy, job.term, heard.get(copy.case_id, 0))

        return make

    def _give_lists(self, job: Job, case_ids: Sequence[str]) -> None:
        """The holder has the new lists before the place is kept. Raises Unavailable if it has not."""
        if job.check:
            return
        has = self.apply_now(list(self.ownerships.known(case_ids).values()))
        if not self._there(case_ids) <= has.keys():
            raise Unavailable(cause="a list was not taken")

    def _there(self, case_ids: Sequence[str]) -> set[str]:
        told: CasesKnown = self.cases.call(
            "cases_known", GetCasesKnown(case_ids=tuple(case_ids)), reply=CasesKnown
        )
        return set(told.case_ids)

    def _heard_of(self, case_ids: Sequence[str]) -> Mapping[str, int]:
        told: EventsHeard = self.notify.call(
            "events_heard", GetEventsHeard(case_ids=tuple(case_ids)), reply=EventsHeard
        )
        return told.numbers


def _shut(case_id: str) -> tuple[Told, ...]:
    """Nothing is left of its list, and the copy has not got the case."""
    return (Told("list_unreadable", case_id),)


def _record(after: Ownership, mended: Mended, now: datetime) -> Record:
    """Nobody asked for it by name: the service itself acted, for the owner's agency."""
    serving, agency_id = context.current(), after.owner.agency.id
    shares = [
        share_object(one.id, agency_id) for one in mended.told if one.what.startswith(("share", "offer"))
    ]
    objects: tuple[Object, ...] = (case_object(after.case_id, agency_id), *shares)
    return Record(
        id=new_event_id(),
        at=now,
        actor=Actor(kind="service", id="sharing", agency_id=agency_id),
        action="case.reconcile",
        operation="administration",
        objects=objects,
        outcome="done",
        request_id=serving.request_id if serving else new_event_id(),
    )
