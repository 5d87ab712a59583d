"""Who has looked: at a case, for its owner; oneself, for everybody (R30, R35)."""

from __future__ import annotations

from services.audit.domain.lookups import Search
from services.audit.domain.sight import sight_of
from services.audit.domain.views import consultation, own_consultation
from services.audit.handlers.reading import OWNER, Reading, page, place_of
from services.chassis.rpc import rpc
from services.contracts.access import decide
from services.contracts.audit import (
    Consultations,
    ListCaseConsultations,
    ListOwnConsultations,
    OwnConsultations,
)
from services.contracts.authority import AccessLists, GetAccessLists
from services.contracts.caller import Caller
from services.contracts.errors import ConcordatError, Malformed, NotVisible, Refused
from services.contracts.records import Object


class ConsultationHandlers(Reading):
    """Looks, the newest first."""

    @rpc(expected_exceptions=Malformed)
    def list_own_consultations(self, request: ListOwnConsultations, caller: Caller) -> OwnConsultations:
        """What the caller was shown, or refused; without cases that do not exist for it now."""
        after = place_of(request.cursor)
        own = Search(each=((f"p:{caller.id}", f"q:{caller.id}"),), looks=True)
        details, next_ = page(self.entries.newest(own, request.limit + 1, after), request.limit)
        records = [detail.record for detail in details]
        sight = sight_of(caller).without(self.kept_from(caller, records))
        names = self.names(records)
        disclosed = self.recorded(caller, [Object(type="log", id="own")])
        items = tuple(own_consultation(sight.known(record), names) for record in records)
        return OwnConsultations(items=items, next=next_, disclosed=disclosed)

    @rpc(expected_exceptions=(Malformed, NotVisible, Refused))
    def list_case_consultations(self, request: ListCaseConsultations, caller: Caller) -> Consultations:
        """Who was shown what of a case. Raises NotVisible, NotOwner, or what stands against the caller."""
        after = place_of(request.cursor)
        self._require_owner(caller, request.case_id)
        looks = Search(each=((f"c:{request.case_id}",),), looks=True)
        details, next_ = page(self.entries.newest(looks, request.limit + 1, after), request.limit)
        records = [detail.record for detail in details]
        names = self.names(records)
        disclosed = self.recorded(caller, [Object(type="log", id=request.case_id)])
        items = tuple(consultation(record, request.case_id, names) for record in records)
        return Consultations(items=items, next=next_, disclosed=disclosed)

    def _require_owner(self, caller: Caller, case_id: str) -> None:
        lists: AccessLists = self.sharing.call(
            "access_lists", GetAccessLists(case_ids=(case_id,)), reply=AccessLists
        )
        problem: ConcordatError | None = NotVisible()
        for one in lists.items:
            if one.case_id == case_id:
                problem = decide(caller, one, OWNER).refusal or self.bars(caller, (case_id,))[case_id]
        if problem is not None:
            self.refused(caller, Object(type="log", id=case_id), problem, how="listed")
            raise problem
