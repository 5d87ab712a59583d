"""Statements to people: who consulted or received what is held of them, and that nothing of it is left out
later."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from services.audit.domain import cursors, merkle, statements
from services.audit.domain.statements import ACTION
from services.audit.domain.views import acting
from services.audit.handlers.filling import cut, fill
from services.audit.handlers.gathering import Content, Gathering
from services.audit.stores.statements import (
    LINES_AT_ONCE,
    PickedEntries,
    PickedLeaves,
    Statement,
    StatementStore,
)
from services.chassis import context
from services.chassis.commands import CommandLog, Emit
from services.chassis.mongo import Session
from services.chassis.rpc import command, rpc
from services.contracts.caller import Caller
from services.contracts.envelope import new_event_id
from services.contracts.errors import ConcordatError, FieldError, Invalid, NotVisible, Unavailable
from services.contracts.messages import Reply
from services.contracts.paging import Ref
from services.contracts.records import Object
from services.contracts.statements import (
    GetStatement,
    IssueStatement,
    ListStatements,
    PreviewStatement,
    StatementItem,
    StatementLine,
    StatementList,
    StatementPart,
    StatementPreview,
    StatementRecord,
    StatementView,
)

_LOOK_AGAIN, _LEFT_FOR_THE_REST = 0.1, 1.5
"""Seconds."""


class StatementKept(Reply):
    """What is stored of a command."""

    statement_id: str


class StatementHandlers(Gathering):
    statements: StatementStore
    picked: PickedEntries
    picked_leaves: PickedLeaves
    commands: CommandLog

    @rpc(expected_exceptions=ConcordatError)
    def preview_statement(self, request: PreviewStatement, caller: Caller) -> StatementPreview:
        """What it would say, with nothing withheld. Raises NotVisible, Invalid."""
        self.may_take_away(caller, Object(type="statement_draft", id=request.subject_id))
        content = self.content(caller, request.subject_id, request)
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
        content = self.content(caller, asked.subject_id, asked)
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
                cases=statements.cases_in(lines),
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
        found, left = fill(
            lambda place, limit: self.statements.newest(agency, place, limit),
            lambda read: self._not_withheld(caller, read),
            lambda one: one.id,
            request.limit,
            before,
        )
        page, after = cut(found, left, lambda one: one.id, request.limit)
        disclosed = self.recorded(
            caller,
            [Object(type="statement", id=one.id) for one in page] or [Object(type="log", id="statements")],
        )
        return StatementList(
            items=tuple(self._items(page)),
            next=None if after is None else cursors.write_id(after),
            disclosed=disclosed,
        )

    @rpc(expected_exceptions=ConcordatError)
    def get_statement(self, request: GetStatement, caller: Caller) -> StatementPart:
        """A piece, with proofs. Raises NotVisible, Malformed, Unavailable."""
        kept = self._visible(caller, request.statement_id)
        self.may_take_away(caller, Object(type="statement", id=kept.id))
        number, size = (0, None) if request.cursor is None else cursors.read(request.cursor, 2)
        own, size, note = self._committed(kept, size)
        detail = self.entries.find(own[0])
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

    # --- what is shown ---

    def _visible(self, caller: Caller, statement_id: str) -> Statement:
        """Raises NotVisible, recorded."""
        kept = self.statements.find(statement_id)
        if (
            kept is not None
            and ("partnership_dpo" in caller.roles or kept.agency_id == caller.agency_id)
            and self._not_withheld(caller, [kept])
        ):
            return kept
        problem = NotVisible()
        self.refused(caller, Object(type="statement", id=statement_id), problem, how="opened")
        raise problem

    def _not_withheld(self, caller: Caller, read: list[Statement]) -> list[Statement]:
        """Without those that name a case which does not exist for the caller: no line of one can be left out
        without its digest being wrong."""
        excluded = self.shut_out(caller, {case for one in read for case in one.cases})
        return [one for one in read if excluded.isdisjoint(one.cases)]

    def _committed(self, kept: Statement, size: int | None) -> tuple[tuple[int, bytes], int, str]:
        """The statement's own entry, and a checkpoint over it: the one of `size`, or the newest.

        Who has just issued it asks at once: it is waited for as long as there is time. Raises Unavailable.
        """
        serving = context.current()
        while True:
            latest = self.tree.latest()
            note = None if size is None else self.tree.note(size)
            if note is None and latest is not None:
                size, _, note = latest
            own = self.tree.find(kept.entry_id)
            if own is not None and size is not None and note is not None and own[0] < size:
                return own, size, note
            size = None
            if serving is None or serving.deadline.left() < _LEFT_FOR_THE_REST:
                raise Unavailable(cause="no checkpoint covers the statement's entry yet", retry_after=2)
            time.sleep(_LOOK_AGAIN)

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


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
