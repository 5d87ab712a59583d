"""Opening a case: registered with `sharing` first, so that there is never a case without an owner."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from services.cases.domain.case import Case, InCase, clock
from services.cases.domain.recording import Act, about, disclosed, done, writing
from services.cases.domain.references import new_reference
from services.cases.domain.showing import case_view, updated_at
from services.cases.handlers.cases import GET, ReadsCases
from services.cases.stores.cases import ReferenceTaken
from services.cases.stores.subjects import SubjectStore
from services.chassis.commands import Emit
from services.chassis.mongo import Session
from services.chassis.rpc import command
from services.contracts.access import AccessList, keys_of, standing_of
from services.contracts.authority import CaseEvent, RegisterCase
from services.contracts.bars import About, require_unbarred
from services.contracts.caller import Caller
from services.contracts.cases.cases import CaseView, CreateCase
from services.contracts.envelope import new_event_id
from services.contracts.errors import ConcordatError, FieldError, Invalid, Unavailable
from services.contracts.messages import Reply
from services.contracts.records import Object, Record
from services.contracts.vocabulary import EventName, Section

CREATE = writing("create_case", "case.create", "collection")
AGAIN = replace(GET, reads=False)
"""What a repeated command shows: its first was a writing, and asked for no reason."""
_REFERENCES = 5

Made = tuple[Case, Record]


class CaseMade(Reply):
    """What a command on a case came to."""

    case_id: str


class OpensCases(ReadsCases):
    subjects: SubjectStore

    @command(expected_exceptions=ConcordatError)
    def create_case(self, request: CreateCase, caller: Caller) -> CaseView:
        """Open a case; the caller, or the person accountable for the client, owns it."""
        self.require_role(caller, CREATE)
        require_unbarred(caller.barred, About(request.case.template, request.case.marking))
        told = self.commands.done(request, CaseMade)
        if told is None:
            case = self._new_case(request, caller)
            for _ in range(_REFERENCES):
                try:
                    return self._opened_new(request, case, caller)
                except ReferenceTaken:
                    case = replace(case, reference=new_reference())
            raise Unavailable(cause="no free reference")
        return self.shown_case(told.case_id, caller, act=AGAIN)

    def tell_case(
        self,
        act: Act,
        event: EventName,
        case: Case,
        caller: Caller,
        emit: Emit,
        *,
        section: Section | None = None,
        subjects: Iterable[str] = (),
    ) -> Made:
        """Emit the event of this version and record the change: the last thing before the commit.

        `subjects`: those put in or taken out. The log is what tells since when a case held somebody.
        """
        data: dict[str, Any] = {"case_id": case.id, "actor_id": caller.id, "agency_id": caller.agency_id}
        if section is not None:
            data["section"] = section
        emit(event, case.aggregate, case.version, CaseEvent(**data))
        standing = standing_of(caller, case.acl)
        sections = () if standing is None else standing.sections
        named = [Object(type="subject", id=one) for one in subjects]
        record = done(act, caller, [about(case, sections), *named], use=case.template)
        self.records.keep(record)
        return case, record

    def _new_case(self, request: CreateCase, caller: Caller) -> Case:
        """Registered with `sharing`, so that there is never a case without an owner. Raises Invalid."""
        body, now = request.case, clock()
        subjects = self._subjects_of(request, caller)
        case_id = new_event_id()
        acl = self._registered(case_id, body.owner_team_id, caller)
        return Case(
            id=case_id,
            reference=new_reference(),
            template=body.template,
            title=body.title,
            status="open",
            priority=body.priority,
            marking=body.marking,
            acl=acl,
            created_at=now,
            created_by=caller.id,
            summary=body.summary,
            external_ref=None if body.external_ref is None else body.external_ref.model_dump(),
            subjects=subjects,
            changed={"case": now},
        )

    def _registered(self, case_id: str, owner_team_id: str | None, caller: Caller) -> AccessList:
        client = caller.kind == "client"
        owner = caller.accountable_id if client and caller.accountable_id else caller.id
        acl: AccessList = self.sharing.command(
            "register_case",
            RegisterCase(
                case_id=case_id,
                owner_user_id=owner,
                owner_agency_id=caller.agency_id,
                owner_team_id=owner_team_id,
                owner_client_id=caller.id if client else None,
            ),
            key=f"register-{case_id}",
            reply=AccessList,
        )
        return acl

    def _opened_new(self, request: CreateCase, case: Case, caller: Caller) -> CaseView:
        made: list[tuple[CaseMade, Record]] = []

        def body(session: Session, emit: Emit) -> CaseMade:
            self.cases.insert(case, session)
            ids = [one.id for one in case.subjects]
            _, record = self.tell_case(CREATE, "case.created", case, caller, emit, subjects=ids)
            made.append((CaseMade(case_id=case.id), record))
            return made[-1][0]

        told = self.commands.run(request, CaseMade, body)
        if not made or told is not made[-1][0]:
            return self.shown_case(told.case_id, caller, act=AGAIN)
        standing = standing_of(caller, case.acl)
        if standing is None:
            return self.shown_case(case.id, caller, act=AGAIN)
        self.reads.mark(keys_of(caller)[0], case.id, updated_at(case, caller, standing))
        view = case_view(case, caller, standing)
        return view.model_copy(update={"disclosed": disclosed(made[-1][1])})

    def _subjects_of(self, request: CreateCase, caller: Caller) -> tuple[InCase, ...]:
        """Those of the caller's own teams, each once. Raises Invalid with pointers."""
        wanted = request.case.subjects
        found = self.subjects.find_many({one.subject_id for one in wanted})
        errors, subjects = [], dict[str, InCase]()
        for place, one in enumerate(wanted):
            pointer = f"/subjects/{place}/subject_id"
            subject = found.get(one.subject_id)
            if subject is None or not subject.kept_by(caller.agency_id, caller.team_ids):
                errors.append(FieldError(pointer, "not_found", "There is no such subject of your teams."))
            elif one.subject_id in subjects:
                errors.append(FieldError(pointer, "repeated", "This subject is there twice."))
            else:
                subjects[subject.id] = InCase(subject.id, subject.label, subject.kind, one.role)
        if errors:
            raise Invalid(errors=tuple(errors))
        return tuple(subjects.values())
