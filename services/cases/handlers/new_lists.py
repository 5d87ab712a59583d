"""Judging by access lists that are new enough: a caller's fences say how new that is for which case.

A list behind its fence is asked for anew of `sharing`, its authority, and kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from services.cases.domain.case import Case
from services.cases.stores.cases import CaseStore
from services.chassis.client import Peer
from services.contracts.access import AccessList, keys_of
from services.contracts.authority import AccessLists, GetAccessLists
from services.contracts.caller import Caller
from services.contracts.errors import Unavailable


class NewLists:
    """The cases, each under a list as new as the caller's fence."""

    cases: CaseStore
    sharing: Peer

    def current(self, case_id: str, caller: Caller) -> Case:
        """The case under a list that is as new as the caller's fence, or a decoy. Raises Unavailable."""
        behind = caller.fences == "all" or self.cases.known_epoch(case_id) < caller.fences.get(case_id, -1)
        case = self.cases.find(case_id, None if behind else keys_of(caller))
        if caller.fences == "all":
            found = self._refreshed([case or self.cases.decoy(case_id)], caller)
            return found[0] if found and case is not None else self.cases.decoy(case_id)
        if case is not None and case.acl.epoch < caller.fences.get(case_id, 0):
            found = self._refreshed([case], caller)
            return found[0] if found else self.cases.decoy(case_id)
        return case or self.cases.decoy(case_id)

    def prepare_lists(self, caller: Caller) -> None:
        """Before a query over cases: bring those that the caller's fences name up to date."""
        if caller.fences == "all":
            return
        unsure = [one for one, epoch in caller.fences.items() if self.cases.known_epoch(one) < epoch]
        if not unsure:
            return
        stored = self.cases.epochs(unsure)
        behind = [one for one, epoch in stored.items() if epoch < caller.fences[one]]
        for start in range(0, len(behind), 200):
            part = behind[start : start + 200]
            self._keep_newest(self._ask_lists(part).values())

    def trusted(self, cases: Sequence[Case], caller: Caller) -> list[Case]:
        """The cases under lists as new as the fences, in their order; those that `sharing` no longer knows
        are left out. Raises Unavailable if it does not answer."""
        if caller.fences == "all":
            return self._refreshed(cases, caller) if cases else []
        behind = [one for one in cases if one.acl.epoch < caller.fences.get(one.id, 0)]
        if not behind:
            return list(cases)
        fresh = {one.id: one for one in self._refreshed(behind, caller)}
        late = {one.id for one in behind}
        return [fresh.get(one.id, one) for one in cases if one.id not in late or one.id in fresh]

    def _refreshed(self, cases: Sequence[Case], caller: Caller) -> list[Case]:
        """Under the lists that `sharing` has now, which are kept; without those that it does not know."""
        lists = self._ask_lists([one.id for one in cases])
        self._keep_newest(
            lists[one.id] for one in cases if one.id in lists and lists[one.id].version > one.acl.version
        )
        found = [one.judged_by(lists[one.id]) for one in cases if one.id in lists]
        fences = caller.fences
        if fences != "all" and any(one.acl.epoch < fences.get(one.id, 0) for one in found):
            raise Unavailable(cause="an access list older than the fence")
        return found

    def _ask_lists(self, case_ids: Sequence[str]) -> dict[str, AccessList]:
        told: AccessLists = self.sharing.call(
            "access_lists", GetAccessLists(case_ids=tuple(case_ids)), reply=AccessLists
        )
        return {one.case_id: one for one in told.items}

    def _keep_newest(self, lists: Iterable[AccessList]) -> None:
        self.cases.keep_lists(list(lists))
