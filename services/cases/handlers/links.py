"""Links between subjects: made, listed, changed, taken away by whoever sees both ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from services.cases.domain import cursors
from services.cases.domain.case import clock
from services.cases.domain.links import MOST_LINKS, Link, check_link
from services.cases.domain.recording import Act, disclosed, done, shown, writing
from services.cases.domain.sights import Sight, things
from services.cases.domain.subjects import Subject
from services.cases.handlers.casework import TRIES
from services.cases.handlers.sights import Sights, distinct
from services.cases.stores.cases import Moved
from services.cases.stores.links import STEPS as LINK_STEPS
from services.cases.stores.links import LinkStore
from services.chassis.commands import Emit
from services.chassis.mongo import Session
from services.chassis.rpc import command, rpc
from services.chassis.stored import Stored
from services.contracts.caller import Caller
from services.contracts.cases.links import CreateLink, DeleteLink, LinkPage, LinkView, ListLinks, PatchLink
from services.contracts.envelope import new_event_id
from services.contracts.errors import (
    ConcordatError,
    FieldError,
    Invalid,
    LevelTooLow,
    NotOwner,
    NotVisible,
    Unavailable,
)
from services.contracts.messages import Reply
from services.contracts.records import Object, Record
from services.contracts.views import Empty

_CREATE = writing("create_link", "link.create", "combination", "subjects")
_PATCH = writing("patch_link", "link.change", "alteration", "subjects")
_DELETE = writing("delete_link", "link.delete", "erasure", "subjects")
_LIST = Act("list_links", "link.list", how="listed", section="subjects")

Ends = dict[str, tuple[Subject, Sight]]


class LinkKept(Reply):
    """What is stored of a command: which link, at which version."""

    link_id: str
    version: int


class LinkHandlers(Sights):
    """Methods about links."""

    links: LinkStore = Stored(LinkStore, LINK_STEPS)

    @command(expected_exceptions=ConcordatError, sensitive_arguments="request")
    def create_link(self, request: CreateLink, caller: Caller) -> LinkView:
        """Raises NotVisible, LevelTooLow, Invalid (/to_subject_id, /kind, /until)."""
        self.require_role(caller, _CREATE)
        start, body = request.subject_id, request.link
        ends = self._link_ends(caller, start, body.to_subject_id)
        if start not in ends:
            self.refuse_subject(_CREATE, caller, start, NotVisible())
        if body.to_subject_id not in ends:
            # The same for one that is not there and one that the caller may not know of.
            raise Invalid(
                errors=(FieldError("/to_subject_id", "unknown_subject", "There is no such subject."),)
            )
        if not any(sight.may_add for _, sight in ends.values()):
            self.refuse_subject(_CREATE, caller, start, LevelTooLow())
        check_link(body, ends[start][0], ends[body.to_subject_id][0])

        def make(session: Session) -> Link:
            if self.links.count(start, session) >= MOST_LINKS:
                raise Invalid(errors=(FieldError("", "too_many", "This subject has too many links."),))
            now = clock()
            link = Link(
                id=new_event_id(),
                kind=body.kind,
                from_id=start,
                to_id=body.to_subject_id,
                since=body.since,
                until=body.until,
                source=body.source,
                agency_id=caller.agency_id,
                created_by=caller.id,
                created_at=now,
                updated_at=now,
            )
            self.links.insert(link, session)
            return link

        return self._link_changed(request, caller, _CREATE, ends, make)

    @rpc(expected_exceptions=ConcordatError)
    def list_links(self, request: ListLinks, caller: Caller) -> LinkPage:
        """Only those whose other end the caller may see. Raises NotVisible, ReasonRequired."""
        self.require_role(caller, _LIST)
        # Before its links are read, which take longer the more there are; and once more after them.
        self.visible(_LIST, caller, request.subject_id, request.access_reason)
        links = self.links.of_subject(request.subject_id)
        others = {link.other(request.subject_id) for link in links}
        subjects = self.subjects.find_many(others)
        subject, sight, reason = self.visible(_LIST, caller, request.subject_id, request.access_reason)
        sights = self.sights(caller, others, subjects)
        visible = [link for link in links if sights[link.other(request.subject_id)]]
        if request.cursor is not None:
            after = cursors.read(request.cursor, 1)[0]
            visible = [link for link in visible if link.id > after]
        page = visible[: request.limit]
        ends = [(subjects[one], sights[one]) for one in (link.other(subject.id) for link in page)]
        objects = [thing for one in ((subject, sight), *ends) for thing in things(*one)]
        told = self.tell(
            shown(_LIST, caller, distinct([*objects, *(_thing(one) for one in page)]), reason=reason)
        )
        return LinkPage(
            items=tuple(link.view(subject.id, other) for link, (other, _) in zip(page, ends, strict=True)),
            next=cursors.written(page[-1].id) if len(visible) > len(page) else None,
            disclosed=told,
        )

    @command(expected_exceptions=ConcordatError, sensitive_arguments="request")
    def patch_link(self, request: PatchLink, caller: Caller) -> LinkView:
        """By the agency that made it. Raises NotVisible, NotOwner, Invalid."""
        self.require_role(caller, _PATCH)
        ends = self._own_link(_PATCH, request, caller)

        def change(session: Session) -> Link:
            before = self.links.find(request.link_id, session)
            if before is None:
                raise NotVisible
            after = before.changed(request.changes, clock())
            if not self.links.replace(after, session):
                raise Moved
            return after

        return self._link_changed(request, caller, _PATCH, ends, change)

    @command(expected_exceptions=ConcordatError)
    def delete_link(self, request: DeleteLink, caller: Caller) -> Empty:
        """By the agency that made it. Raises NotVisible, NotOwner."""
        self.require_role(caller, _DELETE)
        if self.commands.done(request, LinkKept) is not None:
            return Empty()
        ends = self._own_link(_DELETE, request, caller)

        def delete(session: Session, emit: Emit) -> LinkKept:
            link = self.links.find(request.link_id, session)
            if link is None or not self.links.delete(request.link_id, session):
                raise NotVisible
            self.records.keep(done(_DELETE, caller, _things(ends, link)))
            return LinkKept(link_id=link.id, version=link.version)

        self.commands.run(request, LinkKept, delete)
        return Empty()

    def _link_ends(self, caller: Caller, *subject_ids: str) -> Ends:
        """Those of the subjects that the caller may see."""
        subjects = self.subjects.find_many(subject_ids)
        sights = self.sights(caller, subject_ids, subjects)
        return {one: (subjects[one], sights[one]) for one in subjects if sights[one]}

    def _own_link(self, act: Act, request: PatchLink | DeleteLink, caller: Caller) -> Ends:
        """The ends of a link that the caller's agency made. Raises NotVisible, NotOwner, each recorded."""
        link = self.links.find(request.link_id)
        ids = (request.subject_id, request.subject_id if link is None else link.other(request.subject_id))
        ends = self._link_ends(caller, *ids)
        if link is None or request.subject_id not in (link.from_id, link.to_id) or set(ids) - ends.keys():
            self.refuse_subject(act, caller, request.subject_id, NotVisible())
        if link.agency_id != caller.agency_id:
            self.refuse_subject(act, caller, request.subject_id, NotOwner())
        return ends

    def _link_changed(
        self,
        request: CreateLink | PatchLink,
        caller: Caller,
        act: Act,
        ends: Ends,
        change: Callable[[Session], Link],
    ) -> LinkView:
        """Make the change, record it before it is committed, and show what it made."""
        made: list[tuple[Link, Record]] = []

        def run(session: Session, emit: Emit) -> LinkKept:
            link = change(session)
            record = done(act, caller, _things(ends, link))
            self.records.keep(record)
            made.append((link, record))
            return LinkKept(link_id=link.id, version=link.version)

        for _ in range(TRIES):
            try:
                told = self.commands.run(request, LinkKept, run)
                break
            except Moved:
                continue
        else:
            raise Unavailable(cause="the link keeps moving")
        for link, record in reversed(made):
            if (link.id, link.version) == (told.link_id, told.version):
                return link.view(
                    request.subject_id, _other(ends, link, request.subject_id), disclosed(record)
                )
        link = self.links.find(told.link_id) or _gone()
        record = shown(_LIST, caller, _things(ends, link))
        return link.view(request.subject_id, _other(ends, link, request.subject_id), self.tell(record))


def _gone() -> NoReturn:
    raise NotVisible


def _other(ends: Ends, link: Link, subject_id: str) -> Subject:
    return ends[link.other(subject_id)][0]


def _things(ends: Ends, link: Link) -> list[Object]:
    return distinct([_thing(link), *(thing for end in ends.values() for thing in things(*end))])


def _thing(link: Link) -> Object:
    return Object(
        type="link", id=link.id, agency_id=link.agency_id, sections=("subjects",), version=link.version
    )
