"""Statements to people: who consulted or received what is held of them, and that nothing of it is left out
later."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from services.audit.domain import cursors, merkle, statements
from services.audit.domain.lookups import Search
from services.audit.domain.sight import sight_of
from services.audit.domain.statements import ACTION, Counted, Span
from services.audit.domain.views import acting
from services.audit.handlers.reading import Reading
from services.audit.stores.entries import Place
from services.audit.stores.statements import (
    LINES_AT_ONCE,
    PickedEntries,
    PickedLeaves,
    Statement,
    StatementStore,
)
from services.chassis.client import Peer
from services.chassis.commands import CommandLog, Emit
from services.chassis.mongo import Session
from services.chassis.rpc import command, rpc
from services.contracts.authority import CasesOfSubject, GetCasesOfSubject, GetPowers, GrantedPower, Powers
from services.contracts.caller import Caller
from services.contracts.envelope import new_event_id
from services.contracts.errors import ConcordatError, FieldError, Invalid, NotVisible, Unavailable
from services.contracts.messages import Reply
from services.contracts.paging import Ref
from services.contracts.records import Object, Record
from services.contracts.statements import (
    MOST_LINES,
    GetStatement,
    IssueStatement,
    ListStatements,
    Period,
    PreviewStatement,
    Said,
    StatementItem,
    StatementLine,
    StatementList,
    StatementPart,
    StatementPreview,
    StatementRecord,
    StatementView,
)

MOST_READ = 20_000
"""Entries looked at for one statement: whoever has more is given several, of shorter periods."""
_AT_ONCE = 500
_POWERS_OF = 50


class StatementKept(Reply):
    """What is stored of a command."""

    statement_id: str


class Content(NamedTuple):
    """What a statement has to say: entries in their order, and of each what is told."""

    owner: str
    scope: Literal["agency", "partnership"]
    entries: list[Counted]
    told: list[Said]


class StatementHandlers(Reading):
    statements: StatementStore
    picked: PickedEntries
    picked_leaves: PickedLeaves
    commands: CommandLog
    cases: Peer

    @rpc(expected_exceptions=ConcordatError)
    def preview_statement(self, request: PreviewStatement, caller: Caller) -> StatementPreview:
        """What it would say, with nothing withheld. Raises NotVisible, Invalid."""
        content = self._content(caller, request.subject_id, request)
        disclosed = self.recorded(
            caller, [Object(type="statement_draft", id=request.subject_id)], action="statement.preview"
        )
        return StatementPreview(items=tuple(content.told), disclosed=disclosed)

    @command(expected_exceptions=ConcordatError)
    def issue_statement(self, request: IssueStatement, caller: Caller) -> StatementView:
        """Make it, and commit the log to it. Raises NotVisible, Invalid."""
        asked, now = request.statement, datetime.now(UTC)
        told = self.commands.done(request, StatementKept)
        if told is not None:
            return self._view(caller, told.statement_id)
        content = self._content(caller, asked.subject_id, asked)
        withheld = {one.entry_id: one for one in asked.withhold}
        _check_withheld(request, content)
        leaves = self.picked_leaves.some(one.index for one in content.entries)
        lines = [
            statements.line(number, one, told, leaves[one.index], withheld.get(one.record.id))
            for number, (one, told) in enumerate(zip(content.entries, content.told, strict=True), 1)
        ]
        names = self.describe([caller.id, caller.agency_id])
        whole = [one for one in withheld.values() if one.what == "entry"]

        def issue(session: Session, emit: Emit) -> StatementKept:
            statement_id = new_event_id()
            until = asked.until or now
            head = statements.head(
                id=statement_id,
                subject_id=asked.subject_id,
                scope=content.scope,
                agency=Ref(id=caller.agency_id, name=names.get(caller.agency_id, "")).model_dump(),
                issued_by=Ref(id=caller.id, name=names.get(caller.id, "")).model_dump(),
                issued_at=now.isoformat(),
                until=until.isoformat(),
                lines=len(lines),
                **({} if asked.since is None else {"since": asked.since.isoformat()}),
            )
            subject = Object(type="subject", id=asked.subject_id, agency_id=content.owner)
            objects = statements.committing(statement_id, subject, statements.digest(head, lines))
            record = acting(caller, ACTION, "disclosure", now, objects)
            kept = Statement(
                id=statement_id,
                subject_id=asked.subject_id,
                agency_id=caller.agency_id,
                scope=content.scope,
                created_at=now,
                issued_by=caller.id,
                since=asked.since,
                until=until,
                lines=len(lines),
                withheld=len(whole),
                redacted=len(withheld) - len(whole),
                head=head,
                entry_id=record.id,
            )
            self.statements.add(kept, lines, session)
            self.records.keep(record)
            return StatementKept(statement_id=statement_id)

        return self._view(caller, self.commands.run(request, StatementKept, issue).statement_id)

    @rpc(expected_exceptions=ConcordatError)
    def list_statements(self, request: ListStatements, caller: Caller) -> StatementList:
        """The newest first."""
        agency = None if "partnership_dpo" in caller.roles else caller.agency_id
        before = None if request.cursor is None else cursors.read_id(request.cursor)
        found = self.statements.newest(agency, before, request.limit + 1)
        page = found[: request.limit]
        disclosed = self.recorded(
            caller,
            [Object(type="statement", id=one.id) for one in page] or [Object(type="log", id="statements")],
        )
        return StatementList(
            items=tuple(self._items(page)),
            next=cursors.write_id(page[-1].id) if len(found) > len(page) else None,
            disclosed=disclosed,
        )

    @rpc(expected_exceptions=ConcordatError)
    def get_statement(self, request: GetStatement, caller: Caller) -> StatementPart:
        """A piece, with proofs. Raises NotVisible, Malformed, Unavailable."""
        kept = self._visible(caller, request.statement_id)
        number, size = (0, None) if request.cursor is None else cursors.read(request.cursor, 2)
        note = None if size is None else self.tree.note(size)
        latest = self.tree.latest()
        if note is None and latest is not None:
            size, _, note = latest
        own = self.tree.find(kept.entry_id)
        detail = None if own is None else self.entries.find(own[0])
        if own is None or size is None or note is None or own[0] >= size:
            raise Unavailable(cause="no checkpoint covers the statement's entry yet", retry_after=2)
        if detail is None:
            raise NotVisible  # erased
        lines = self.statements.piece(kept.id, number)
        proofs = self._proofs([own[0], *(one.index for one in lines)], size)
        details = self.picked.some(one.index for one in lines if one.detailed)
        shown = tuple(
            StatementLine(
                text=one.text,
                hashes=proofs[one.index],
                **(
                    {"detail": details[one.index].text, "salt": _text(details[one.index].salt)}
                    if one.index in details
                    else {}
                ),
            )
            for one in lines
        )
        more = (number + 1) * LINES_AT_ONCE < kept.lines
        disclosed = self.recorded(caller, [Object(type="statement", id=kept.id)], how="exported")
        return StatementPart(
            id=kept.id,
            head=kept.head,
            record=StatementRecord(
                index=own[0],
                leaf=_text(own[1]),
                detail=detail.text,
                salt=_text(detail.salt),
                hashes=proofs[own[0]],
            ),
            checkpoint=note,
            lines=shown,
            next=cursors.write(number + 1, size) if more else None,
            disclosed=disclosed,
        )

    # --- what there is to say ---

    def _content(self, caller: Caller, subject_id: str, period: Period) -> Content:
        """Raises NotVisible (recorded), Invalid."""
        held: CasesOfSubject = self.cases.call(
            "cases_of_subject", GetCasesOfSubject(subject_id=subject_id), reply=CasesOfSubject
        )
        all_ = "partnership_dpo" in caller.roles
        if held.agency_id is None or not (all_ or held.agency_id == caller.agency_id):
            problem = NotVisible()
            self.refused(caller, Object(type="statement_draft", id=subject_id), problem, how="listed")
            raise problem
        named = dict(self._read(Search(each=((f"s:{subject_id}",),)), MOST_READ))
        spans = statements.spans(named.values(), {one.case_id: one.since for one in held.items})
        found = {
            index: record
            for index, record in named.items()
            if (period.since is None or period.since <= record.at)
            and (period.until is None or record.at < period.until)
        }
        for span in spans:
            self._of_span(span, period, found)
        sight = sight_of(caller)
        entries = [
            one
            for index, record in sorted(found.items(), key=lambda item: (item[1].at, item[0]))
            if sight.sees(record)
            and (one := statements.counted(index, record, subject_id, spans)) is not None
        ]
        if len(entries) > MOST_LINES:
            raise _too_many()
        names = self._names(entries)
        powers = self._powers(entries)
        told = [statements.said(one, names, statements.power_of(one, powers)) for one in entries]
        return Content(held.agency_id, "partnership" if all_ else "agency", entries, told)

    def _of_span(self, span: Span, period: Period, found: dict[int, Record]) -> None:
        since = max(span.since, period.since) if period.since else span.since
        untils = [one for one in (span.until, period.until) if one is not None]
        search = Search(each=((f"c:{span.case_id}",),), since=since, until=min(untils, default=None))
        for index, record in self._read(search, MOST_READ - len(found)):
            found[index] = record

    def _read(self, search: Search, most: int) -> Iterator[tuple[int, Record]]:
        """Raises Invalid when there are more."""
        after: Place | None = None
        while True:
            details = self.entries.newest(search, _AT_ONCE, after)
            most -= len(details)
            if most < 0:
                raise _too_many()
            for one in details:
                yield one.index, one.record
            if len(details) < _AT_ONCE:
                return
            after = Place(details[-1].at, details[-1].index)

    def _names(self, entries: Sequence[Counted]) -> Mapping[str, str]:
        names = dict(self.names(one.record for one in entries))
        receivers = {to for one in entries if (to := statements.given_to(one.record)) is not None}
        return {**self.describe(sorted(receivers - names.keys())), **names}

    def _powers(self, entries: Sequence[Counted]) -> list[GrantedPower]:
        cases = sorted({one.case_id for one in entries if one.case_id is not None})
        found: list[GrantedPower] = []
        for begin in range(0, len(cases), _POWERS_OF):
            asked = GetPowers(case_ids=tuple(cases[begin : begin + _POWERS_OF]))
            answer: Powers = self.sharing.call("powers", asked, reply=Powers)
            found += answer.items
        return found

    # --- what is shown ---

    def _visible(self, caller: Caller, statement_id: str) -> Statement:
        """Raises NotVisible, recorded."""
        kept = self.statements.find(statement_id)
        if kept is not None and ("partnership_dpo" in caller.roles or kept.agency_id == caller.agency_id):
            return kept
        problem = NotVisible()
        self.refused(caller, Object(type="statement", id=statement_id), problem, how="opened")
        raise problem

    def _view(self, caller: Caller, statement_id: str) -> StatementView:
        item = next(iter(self._items([self._visible(caller, statement_id)])))
        disclosed = self.recorded(caller, [Object(type="statement", id=statement_id)], how="opened")
        fields = {name: getattr(item, name) for name in item.model_fields_set}
        return StatementView(**fields, disclosed=disclosed)

    def _items(self, page: Sequence[Statement]) -> Iterator[StatementItem]:
        names = self.describe(sorted({one for kept in page for one in (kept.issued_by, kept.agency_id)}))
        for kept in page:
            yield StatementItem(
                id=kept.id,
                subject_id=kept.subject_id,
                created_at=kept.created_at,
                issued_by=Ref(id=kept.issued_by, name=names.get(kept.issued_by, kept.issued_by)),
                agency=Ref(id=kept.agency_id, name=names.get(kept.agency_id, kept.agency_id)),
                scope="partnership" if kept.scope == "partnership" else "agency",
                since=kept.since,
                until=kept.until,
                lines=kept.lines,
                withheld=kept.withheld,
                redacted=kept.redacted,
            )

    def _proofs(self, indexes: Sequence[int], size: int) -> dict[int, tuple[str, ...]]:
        """All in one read."""
        ranges = {index: merkle.inclusion(index, size) for index in indexes}
        read = self.tree.hashes({node for one in ranges.values() for node in merkle.nodes(one)})
        return {
            index: tuple(_text(one) for one in merkle.hashes(parts, read.__getitem__))
            for index, parts in ranges.items()
        }


def _check_withheld(request: IssueStatement, content: Content) -> None:
    """Raises Invalid for what is not in the statement, or there twice."""
    there, seen, errors = {one.record.id for one in content.entries}, set[str](), list[FieldError]()
    for place, one in enumerate(request.statement.withhold):
        pointer = f"/withhold/{place}/entry_id"
        if one.entry_id not in there:
            errors.append(FieldError(pointer, "not_found", "The statement has no such entry."))
        elif one.entry_id in seen:
            errors.append(FieldError(pointer, "repeated", "This entry is there twice."))
        seen.add(one.entry_id)
    if errors:
        raise Invalid(errors=tuple(errors))


def _too_many() -> Invalid:
    return Invalid(errors=(FieldError("/from", "too_many", "There are too many entries in this period."),))


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
