"""Doubles of the stores that a read needs, in memory: for tests of the order in which handlers act."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from services.cases.domain.case import Case
from services.cases.stores.decoys import NOBODY, decoy_of
from services.contracts.access import AccessList
from services.contracts.vocabulary import AccessReason


class FakeCaseStore:
    """Reads as `cases.CaseStore` does. `lists` are those that were kept; `whole` the cases that were read
    whoever asked."""

    def __init__(self, *cases: Case) -> None:
        self._cases = {one.id: one for one in cases}
        self.lists: list[AccessList] = []
        self.whole: list[str] = []
        self._known: dict[str, int] = {}

    def find(self, case_id: str, keys: Collection[str] | None = None) -> Case | None:
        case = self._cases.get(case_id)
        if keys is None and case is not None:
            self.whole.append(case_id)
            self._known[case_id] = case.acl.epoch
        if keys is None or (case is not None and set(case.acl.readers()).intersection(keys)):
            return case
        return decoy_of(case_id, case.acl.owner.agency.id if case is not None else NOBODY)

    def decoy(self, case_id: str) -> Case:
        return decoy_of(case_id)

    def known_epoch(self, case_id: str) -> int:
        return self._known.get(case_id, -1)

    def epochs(self, case_ids: Collection[str]) -> dict[str, int]:
        return {one: self._cases[one].acl.epoch for one in case_ids if one in self._cases}

    def keep_lists(self, lists: Sequence[AccessList]) -> None:
        for acl in lists:
            self.lists.append(acl)
            if acl.case_id in self._cases:
                self._cases[acl.case_id] = self._cases[acl.case_id].judged_by(acl)


class FakeReasonStore:
    def __init__(self) -> None:
        self._reasons: dict[tuple[str, str], AccessReason] = {}

    def remember(self, session: str, case_id: str, reason: AccessReason) -> None:
        self._reasons[session, case_id] = reason

    def find(self, session: str, case_id: str) -> AccessReason | None:
        return self._reasons.get((session, case_id))


class FakeReadStore:
    def __init__(self) -> None:
        self.marks: dict[tuple[str, str], datetime] = {}

    def mark(self, principal: str, case_id: str, seen: datetime) -> None:
        self.marks[principal, case_id] = seen
