"""Changing what a case says: fields, status, subjects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from services.cases.domain import subjects_in
from services.cases.domain.case import Change, InCase, clock, touched
from services.cases.domain.finding import words_of
from services.cases.domain.recording import Act, about, disclosed, done, writing
from services.cases.domain.showing import case_view, hidden_subjects
from services.cases.domain.statuses import check_move, check_open, event_of, needs_owner
from services.cases.handlers.case_opening import AGAIN, CaseMade, Made, OpensCases
from services.cases.handlers.casework import Opened, Work, check_match
from services.cases.stores.transitions import Transition, TransitionStore
from services.chassis.rpc import command
from services.contracts.bars import About, require_unbarred
from services.contracts.caller import Caller
from services.contracts.cases.cases import (
    CaseChanges,
    CaseView,
    MoveCase,
    PatchCase,
    PutCaseSubject,
    RemoveCaseSubject,
)
from services.contracts.envelope import new_event_id
from services.contracts.errors import (
    ConcordatError,
    LevelTooLow,
    NotOwner,
    NotVisible,
)
from services.contracts.views import Empty
from services.contracts.vocabulary import Section

PATCH = writing("patch_case", "case.change", "alteration")
MOVE = writing("move_case", "case.move", "alteration")
PUT_SUBJECT = writing("put_case_subject", "case.put_subject", "alteration", "subjects")
REMOVE_SUBJECT = writing("remove_case_subject", "case.remove_subject", "alteration", "subjects")
Planned = tuple[Change | None, Section | None]
"""What is to be done to the case, if anything, and the one section that it is about, if it is only one."""


class ChangesCases(OpensCases):
    transitions: TransitionStore

    @command(expected_exceptions=ConcordatError)
    def patch_case(self, request: PatchCase, caller: Caller) -> CaseView:
        """Change title, priority, marking or summary."""

        def change(opened: Opened) -> Planned:
            self._check_case_match(request.if_match, opened, caller)
            case = opened.case
            require_unbarred(caller.barred, About(case.template, request.changes.marking or case.marking))
            sets, parts = _patched(opened, request.changes)
            now = clock()
            for part in parts:
                sets |= touched(part, now)
            section: Section | None = "summary" if parts == ["summary"] else None
            return Change(sets, exact=True) if sets else None, section

        return self._change_case(PATCH, caller, request, change)

    @command(expected_exceptions=ConcordatError)
    def move_case(self, request: MoveCase, caller: Caller) -> CaseView:
        """Give a case another status, with a reason."""
        to = request.move.to

        def body(work: Work) -> Made:
            case = work.case
            if needs_owner(case, to) and not work.opened.standing.reaches("own"):
                raise NotOwner
            check_move(case, to)
            now = clock()
            change = Change({"status": to, **touched("case", now)}, exact=True)
            after = self.cases.advance(case, change, work.session, reopens=case.closed)
            step = Transition(new_event_id(), case.id, case.status, to, request.move.reason, now)
            self.transitions.insert(step, caller, work.session)
            return self.tell_case(MOVE, event_of(case, to), after, caller, work.emit)

        return self._run_on_case(MOVE, caller, request, body)

    @command(expected_exceptions=ConcordatError)
    def put_case_subject(self, request: PutCaseSubject, caller: Caller) -> CaseView:
        """Put a subject into the case, or give it another role there."""

        def change(opened: Opened) -> Planned:
            check_open(opened.case)
            self._check_case_match(request.if_match, opened, caller)
            if request.subject_id in hidden_subjects(opened.case, caller):
                raise NotVisible
            there = subjects_in.find(opened.case, request.subject_id) or self._own_subject(
                request.subject_id, caller
            )
            if there is None:
                raise NotVisible
            change = subjects_in.put(opened.case, replace(there, role=request.subject.role), clock())
            return change, subjects_in.section_of(opened.case, request.subject_id, request.subject.role)

        return self._change_case(PUT_SUBJECT, caller, request, change)

    @command(expected_exceptions=ConcordatError)
    def remove_case_subject(self, request: RemoveCaseSubject, caller: Caller) -> Empty:
        """Take a subject out of the case; its record stays."""

        def change(opened: Opened) -> Planned:
            check_open(opened.case)
            there = subjects_in.find(opened.case, request.subject_id)
            if there is None or there.id in hidden_subjects(opened.case, caller):
                raise NotVisible
            return subjects_in.removed(opened.case, there, clock()), subjects_in.section_of(
                opened.case, there.id
            )

        view = self._change_case(REMOVE_SUBJECT, caller, request, change)
        return Empty(etag=view.etag, disclosed=view.disclosed)

    # --- one way to change ---

    def _change_case(
        self,
        act: Act,
        caller: Caller,
        request: PatchCase | PutCaseSubject | RemoveCaseSubject,
        change: Callable[[Opened], Planned],
    ) -> CaseView:
        def body(work: Work) -> Made:
            check_open(work.case)
            what, section = change(work.opened)
            if what is None:
                # Nothing changed: no version, no event; what is shown is recorded all the same.
                record = done(act, caller, [about(work.case, work.opened.standing.sections)])
                self.records.keep(record)
                return work.case, record
            after = self.cases.advance(work.case, what, work.session)
            put = (request.subject_id,) if not isinstance(request, PatchCase) else ()
            return self.tell_case(
                act, "case.updated", after, caller, work.emit, section=section, subjects=put
            )

        return self._run_on_case(act, caller, request, body)

    def _run_on_case(
        self,
        act: Act,
        caller: Caller,
        request: PatchCase | MoveCase | PutCaseSubject | RemoveCaseSubject,
        body: Callable[[Work], Made],
    ) -> CaseView:
        made: list[Made] = []

        def run(work: Work) -> CaseMade:
            made.append(body(work))
            return CaseMade(case_id=request.case_id)

        opened, told, mine = self.change(act, caller, request, CaseMade, run)
        if not mine:
            return self.shown_case(told.case_id, caller, act=AGAIN)
        case, record = made[-1]
        self.followed(opened.case, case, caller, opened.standing)
        view = case_view(case, caller, opened.standing)
        return view.model_copy(update={"disclosed": disclosed(record)})

    def _check_case_match(self, if_match: str | None, opened: Opened, caller: Caller) -> None:
        check_match(if_match, case_view(opened.case, caller, opened.standing).etag)

    def _own_subject(self, subject_id: str, caller: Caller) -> InCase | None:
        subject = self.subjects.find(subject_id)
        if subject is None or not subject.kept_by(caller.agency_id, caller.team_ids):
            return None
        return InCase(subject.id, subject.label, subject.kind, "witness")


def _patched(opened: Opened, changes: CaseChanges) -> tuple[dict[str, Any], list[Any]]:
    """The fields that become different, and the parts that they belong to. Raises LevelTooLow."""
    case = opened.case
    given = changes.model_fields_set
    sets: dict[str, Any] = {
        name: getattr(changes, name)
        for name in ("title", "priority", "marking")
        if name in given and getattr(changes, name) != getattr(case, name)
    }
    parts: list[Any] = ["case"] if sets else []
    if "summary" in given:
        if not opened.standing.reaches("manage", "summary"):
            raise LevelTooLow
        if changes.summary != case.summary:
            sets["summary"] = changes.summary
            parts.append("summary")
    if "title" in sets or "summary" in sets:
        sets["words"] = words_of(sets.get("title", case.title), sets.get("summary", case.summary))
    return sets, parts
