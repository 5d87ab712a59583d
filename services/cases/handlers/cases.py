"""Reading cases: one, lists, searches, and what a share would show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from services.cases.domain import cursors, recording
from services.cases.domain.case import Case
from services.cases.domain.finding import found_by
from services.cases.domain.labels import words_asked
from services.cases.domain.own_name import flags
from services.cases.domain.recording import Act, about, reading
from services.cases.domain.references import reference_in
from services.cases.domain.showing import case_item, case_view, updated_at
from services.cases.handlers.casework import Casework, Opened
from services.cases.handlers.contents import Contents, objects_in
from services.cases.stores.cases import Wanted
from services.chassis.rpc import rpc
from services.contracts.access import AccessList, Share, Standing, keys_of, standing_of
from services.contracts.caller import Caller
from services.contracts.cases.cases import (
    CaseItem,
    CasePage,
    CaseView,
    GetCase,
    ListCases,
    PreviewCase,
    PreviewedShare,
    SearchCases,
)
from services.contracts.errors import ConcordatError
from services.contracts.records import Object
from services.contracts.vocabulary import AccessReason

GET = reading("get_case", "case.read")
PREVIEW = reading("preview_case", "case.preview")
LIST = Act("list_cases", "case.list", how="listed", reads=False)
SEARCH = Act("search_cases", "case.search", how="listed", reads=False)
_BATCHES = 20
"""How many reads one page may take when much of what is found may not be shown."""
_SOMEBODY = "preview"

Seen = tuple[Case, Standing]


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a list, and behind which case it goes on."""

    seen: list[Seen]
    next: str | None


class ReadsCases(Contents, Casework):
    @rpc(expected_exceptions=ConcordatError)
    def get_case(self, request: GetCase, caller: Caller) -> CaseView:
        """What the caller may see of one case; with `include`, of its entries and tasks as well."""
        return self.shown_case(request.case_id, caller, request.access_reason, request.include)

    @rpc(expected_exceptions=ConcordatError)
    def list_cases(self, request: ListCases, caller: Caller) -> CasePage:
        """The cases that the caller may see."""
        self.require_role(caller, LIST)
        self.prepare_lists(caller)
        wanted = Wanted(
            keys_of(caller),
            caller.id,
            request.mine,
            request.status,
            request.template,
            request.agency_id,
            request.changed_since,
        )

        def matches(case: Case, standing: Standing) -> bool:
            return _filtered_as_seen(request, case, caller, standing)

        def some(before: str | None, limit: int) -> list[Case]:
            return self.cases.listed(wanted, before, limit)

        return self._listed(LIST, caller, self._page(caller, request.cursor, request.limit, some, matches))

    @rpc(expected_exceptions=ConcordatError)
    def search_cases(self, request: SearchCases, caller: Caller) -> CasePage:
        """Cases by a reference, or by the words of title and summary, among those that the caller may see.

        Reads at most the cases that name the caller.
        """
        self.require_role(caller, SEARCH)
        self.prepare_lists(caller)
        reference, words = reference_in(request.text), words_asked(request.text)
        if reference is not None:
            found = self.cases.by_reference(reference, keys_of(caller))
            cases = [found] if found is not None and _owned_by(found, request.agency_id) else []
            page = Page(self._visible(cases, caller), None)
        elif words:
            wanted = Wanted(keys_of(caller), caller.id, agency_id=request.agency_id)
            page = self._page(
                caller,
                request.cursor,
                request.limit,
                lambda before, limit: self.cases.searched(wanted, words, before, limit),
                lambda case, standing: found_by(case, words, standing),
            )
        else:
            page = Page([], None)
        return self._listed(SEARCH, caller, page, flags(caller, words))

    @rpc(expected_exceptions=ConcordatError)
    def preview_case(self, request: PreviewCase, caller: Caller) -> CaseView:
        """What somebody named by this share alone would see; for the owner."""
        opened = self.open(request.case_id, caller, PREVIEW)

        def somebodys(opened: Opened) -> tuple[Caller, Opened]:
            named, acl = _somebody(request.share, caller, opened.case)
            standing = standing_of(named, acl)
            assert standing is not None
            return named, Opened(opened.case.judged_by(acl), standing)

        def read(opened: Opened) -> dict[str, Any]:
            named, theirs = somebodys(opened)
            return self.contents(theirs, named, ("entries", "tasks"))

        opened, contents = self.consistently(opened, caller, PREVIEW, read)
        # What is shown of the case is the version that is recorded: it may have changed while this was read.
        named, theirs = somebodys(opened)
        view = case_view(theirs.case, named, theirs.standing).model_copy(update=contents)
        disclosed = self.show(PREVIEW, caller, opened, (about(opened.case, request.share.sections),))
        return view.model_copy(update={"disclosed": disclosed})

    # --- what the other handlers show too ---

    def shown_case(
        self,
        case_id: str,
        caller: Caller,
        access_reason: AccessReason | None = None,
        include: Sequence[str] = (),
        act: Act = GET,
    ) -> CaseView:
        opened = self.open(case_id, caller, act, access_reason)
        contents: dict[str, Any] = {}
        if include:
            opened, contents = self.consistently(
                opened, caller, act, lambda opened: self.contents(opened, caller, include)
            )
        case, standing = opened.case, opened.standing
        view = case_view(case, caller, standing).model_copy(update=contents)
        objects = (about(case, standing.sections), *objects_in(case, contents))
        disclosed = self.show(act, caller, opened, objects)
        self.reads.mark(keys_of(caller)[0], case.id, updated_at(case, caller, standing))
        return view.model_copy(update={"disclosed": disclosed})

    # --- lists ---

    def _page(
        self,
        caller: Caller,
        cursor: str | None,
        limit: int,
        some: Callable[[str | None, int], list[Case]],
        matches: Callable[[Case, Standing], bool],
    ) -> Page:
        """`limit` cases that may be shown, from `cursor` on. What may not be is passed over."""
        before = None if cursor is None else cursors.read(cursor, 1)[0]
        seen: list[Seen] = []
        for _ in range(_BATCHES):
            found = some(before, limit + 1)
            seen += [one for one in self._visible(found, caller) if matches(*one)]
            if len(seen) > limit:
                return Page(seen[:limit], cursors.written(seen[limit - 1][0].id))
            if len(found) <= limit:
                return Page(seen, None)
            before = found[-1].id
        return Page(seen, cursors.written(str(before)))

    def _visible(self, cases: Sequence[Case], caller: Caller) -> list[Seen]:
        judged = [(case, self.decide(case, caller, GET).standing) for case in self.trusted(cases, caller)]
        return [(case, standing) for case, standing in judged if standing is not None]

    def _listed(self, act: Act, caller: Caller, page: Page, flagged: Sequence[Object] = ()) -> CasePage:
        seen_by_me = self.reads.seen(keys_of(caller)[0], [case.id for case, _ in page.seen])
        items: tuple[CaseItem, ...] = tuple(
            case_item(case, caller, standing, seen_by_me) for case, standing in page.seen
        )
        objects = [*(about(case) for case, _ in page.seen), *flagged]
        record = recording.shown(act, caller, objects)
        return CasePage(items=items, next=page.next, disclosed=self.tell(record))


def _filtered_as_seen(request: ListCases, case: Case, caller: Caller, standing: Standing) -> bool:
    """What may not be read finds nothing, and the latest change is the latest that may be seen."""
    if request.status is None and request.template is None and request.changed_since is None:
        return True
    if not standing.reaches("read"):
        return False
    since = request.changed_since
    return since is None or updated_at(case, caller, standing) >= since


def _owned_by(case: Case, agency_id: str | None) -> bool:
    return agency_id is None or case.acl.owner.agency.id == agency_id


def _somebody(share: PreviewedShare, owner: Caller, case: Case) -> tuple[Caller, AccessList]:
    """Somebody of the agency whom nothing but this share names, and a list with nothing else on it."""
    named = owner.model_copy(
        update={
            "kind": "user",
            "id": _SOMEBODY,
            "agency_id": share.agency_id,
            "team_ids": (),
            "roles": ("practitioner",),
            "inactive_agencies": (),
            "inactive_protocols": (),
        }
    )
    granted = Share(
        id=_SOMEBODY,
        agency_id=share.agency_id,
        user_ids=(_SOMEBODY,),
        level=share.level,
        sections=share.sections,
        side=share.side,
    )
    # Newer than its own, so that it is the one that the case is judged by.
    acl = case.acl.model_copy(update={"shares": (granted,), "epoch": case.acl.epoch + 1})
    return named, acl
