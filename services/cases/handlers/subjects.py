"""Subjects: entered, read, changed, listed, found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.cases.domain import cursors, subjects_in
from services.cases.domain.case import Case, Change, clock, part_of, touched
from services.cases.domain.labels import words_asked
from services.cases.domain.own_name import flags
from services.cases.domain.recording import Act, disclosed, done, reading, shown, writing
from services.cases.domain.sights import Sight, things
from services.cases.domain.subjects import Subject, check_entered
from services.cases.handlers.casework import TRIES, check_match
from services.cases.handlers.sights import Sights, distinct
from services.cases.stores.cases import Moved
from services.chassis.commands import Emit
from services.chassis.mongo import Session
from services.chassis.rpc import command, rpc
from services.contracts.access import keys_of
from services.contracts.authority import CaseEvent
from services.contracts.caller import Caller
from services.contracts.cases.subjects import (
    CreateSubject,
    GetSubject,
    ListSubjects,
    PatchSubject,
    SearchSubjects,
    SubjectPage,
    SubjectView,
)
from services.contracts.envelope import new_event_id
from services.contracts.errors import ConcordatError, NotOwner, NotVisible, Unavailable
from services.contracts.messages import Reply
from services.contracts.records import Object, Record

_CREATE = writing("create_subject", "subject.create", "collection", "subjects")
_PATCH = writing("patch_subject", "subject.change", "alteration", "subjects")
_GET = reading("get_subject", "subject.read", "subjects")
_LIST = Act("list_subjects", "subject.list", how="listed", reads=False)
_SEARCH = Act("search_subjects", "subject.search", how="listed", reads=False)

Found = tuple[Subject, Sight]


class SubjectKept(Reply):
    """What is stored of a command: which subject, at which version."""

    subject_id: str
    version: int


class SubjectHandlers(Sights):
    """Methods about subjects."""

    @command(expected_exceptions=ConcordatError, sensitive_arguments="request")
    def create_subject(self, request: CreateSubject, caller: Caller) -> SubjectView:
        """Raises Invalid (/team_id, /born/date), AlreadyExists (/external_ref)."""
        self.require_role(caller, _CREATE)
        made: list[tuple[Subject, Record]] = []

        def enter(session: Session, emit: Emit) -> SubjectKept:
            now = clock()
            check_entered(request.subject.root, caller.team_ids, now.date())
            subject = Subject(
                new_event_id(),
                caller.agency_id,
                request.subject.root,
                1,
                caller.id,
                created_at=now,
                updated_at=now,
            )
            self.subjects.insert(subject, session)
            return self._subject_kept(_CREATE, caller, subject, made)

        told = self.commands.run(request, SubjectKept, enter)
        return self._subject_told(caller, told, made)

    @rpc(expected_exceptions=ConcordatError)
    def get_subject(self, request: GetSubject, caller: Caller) -> SubjectView:
        """Raises NotVisible, ReasonRequired."""
        self.require_role(caller, _GET)
        subject, sight, reason = self.visible(_GET, caller, request.subject_id, request.access_reason)
        return subject.view(self.tell_subject(_GET, caller, subject, sight, reason))

    @command(expected_exceptions=ConcordatError, sensitive_arguments="request")
    def patch_subject(self, request: PatchSubject, caller: Caller) -> SubjectView:
        """By the team that keeps it. Its new name goes into every case that holds it, each a case version.

        Raises NotVisible, NotOwner, IfMatchRequired, Stale, Invalid, AlreadyExists.
        """
        self.require_role(caller, _PATCH)
        _, sight, _ = self.visible(_PATCH, caller, request.subject_id)
        if not sight.own:
            self.refuse_subject(_PATCH, caller, request.subject_id, NotOwner())
        made: list[tuple[Subject, Record]] = []

        def change(session: Session, emit: Emit) -> SubjectKept:
            before = self.subjects.find(request.subject_id, session)
            if before is None or not before.kept_by(caller.agency_id, caller.team_ids):
                raise NotVisible
            check_match(request.if_match, before.etag)
            after = before.changed(request.changes, clock())
            check_entered(after.body, caller.team_ids, after.updated_at.date())
            if not self.subjects.replace(after, session):
                raise Moved
            if after.label != before.label:
                self._relabel_cases(after, caller, session, emit)
            return self._subject_kept(_PATCH, caller, after, made)

        for _ in range(TRIES):
            try:
                told = self.commands.run(request, SubjectKept, change)
            except Moved:
                continue
            return self._subject_told(caller, told, made)
        raise Unavailable(cause="the subject keeps moving")

    @rpc(expected_exceptions=ConcordatError)
    def list_subjects(self, request: ListSubjects, caller: Caller) -> SubjectPage:
        """Those of the caller's own teams, the latest entered first."""
        self.require_role(caller, _LIST)
        before = _before(request.cursor)
        found = self.subjects.of_teams(
            caller.agency_id, caller.team_ids, request.kind, before, request.limit + 1
        )
        return self._subject_page(_LIST, caller, [(one, Sight(True)) for one in found], request.limit)

    @rpc(expected_exceptions=ConcordatError, sensitive_arguments="request")
    def search_subjects(self, request: SearchSubjects, caller: Caller) -> SubjectPage:
        """Those of the caller's own teams and those in cases whose subjects it may see, the latest first."""
        self.require_role(caller, _SEARCH)
        words, before, wanted = words_asked(request.text), _before(request.cursor), request.limit + 1
        if not words:
            return self._subject_page(_SEARCH, caller, [], request.limit)
        more: dict[str, Any] = {} if request.kind is None else {"kind": request.kind}
        own: list[Found] = []
        if request.agency_id in (None, caller.agency_id):
            kept = self.subjects.search_teams(
                caller.agency_id, caller.team_ids, words, before, wanted, **more
            )
            own = [(one, Sight(True)) for one in kept]
        if request.agency_id is not None:
            more["agency_id"] = request.agency_id
        others = self._subjects_in_cases(caller, words, before, wanted, more)
        found = sorted([*own, *others], key=lambda one: one[0].id, reverse=True)
        return self._subject_page(_SEARCH, caller, found, request.limit, flags(caller, words))

    def _subjects_in_cases(
        self, caller: Caller, words: Sequence[str], before: str | None, wanted: int, more: dict[str, Any]
    ) -> list[Found]:
        """Other teams' subjects: the work depends on the cases that name the caller, and on nothing else."""
        self.prepare_lists(caller)
        among = self.sightings.in_named(keys_of(caller))
        found: list[Found] = []
        while len(found) < wanted:
            some = self.subjects.search_among(among, words, before, 2 * wanted, **more)
            others = {one.id: one for one in some if not one.kept_by(caller.agency_id, caller.team_ids)}
            sights = self.sights(caller, others.keys(), others)
            found += [(others[one], sight) for one, sight in sights.items() if sight]
            if len(some) < 2 * wanted:
                break
            before = some[-1].id
        return found[:wanted]

    def _subject_page(
        self, act: Act, caller: Caller, found: Sequence[Found], limit: int, flagged: Sequence[Object] = ()
    ) -> SubjectPage:
        """Of one more than the limit. Recorded also when nothing was found."""
        page, more = found[:limit], len(found) > limit
        objects = distinct([thing for subject, sight in page for thing in things(subject, sight)])
        return SubjectPage(
            items=tuple(subject.summary() for subject, _ in page),
            next=cursors.written(page[-1][0].id) if more else None,
            disclosed=self.tell(shown(act, caller, [*objects, *flagged])),
        )

    def _subject_kept(
        self, act: Act, caller: Caller, subject: Subject, made: list[tuple[Subject, Record]]
    ) -> SubjectKept:
        """Record the change, last thing before it is committed."""
        record = done(act, caller, things(subject, Sight(True)))
        self.records.keep(record)
        made.append((subject, record))
        return SubjectKept(subject_id=subject.id, version=subject.version)

    def _subject_told(
        self, caller: Caller, told: SubjectKept, made: Sequence[tuple[Subject, Record]]
    ) -> SubjectView:
        """What this very call made, under its record; else the subject as it is now, read as any other."""
        for subject, record in reversed(made):
            if (subject.id, subject.version) == (told.subject_id, told.version):
                return subject.view(disclosed(record))
        subject, sight, reason = self.visible(_GET, caller, told.subject_id)
        return subject.view(self.tell_subject(_GET, caller, subject, sight, reason))

    def _relabel_cases(self, subject: Subject, caller: Caller, session: Session, emit: Emit) -> None:
        """Raises Moved if one of the cases changed since it was read."""
        for case in self.sightings.labelled(subject.id, session):
            change = _with_label(case, subject)
            after = self.cases.advance(case, change, session, reopens=True)
            emit(
                "case.updated",
                after.aggregate,
                after.version,
                CaseEvent(
                    case_id=case.id,
                    section=subjects_in.section_of(case, subject.id),
                    actor_id=caller.id,
                    agency_id=caller.agency_id,
                ),
            )


def _with_label(case: Case, subject: Subject) -> Change:
    """Exact: the places in the list are those of this version."""
    sets: dict[str, Any] = {}
    for place, one in enumerate(case.subjects):
        if one.id == subject.id:
            sets |= {
                f"subjects.{place}.name": subject.label,
                **touched(part_of(one.role), subject.updated_at),
            }
    return Change(sets, exact=True)


def _before(cursor: str | None) -> str | None:
    return None if cursor is None else cursors.read(cursor, 1)[0]
