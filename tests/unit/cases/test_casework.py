"""Decide, record, reveal: in this order, or nothing."""

from __future__ import annotations

from typing import Any

import pytest

from services.cases.handlers.cases import ReadsCases
from services.cases.stores.fakes import FakeCaseStore, FakeReadStore, FakeReasonStore
from services.contracts.access import AccessList
from services.contracts.authority import AccessLists
from services.contracts.caller import Caller
from services.contracts.cases.cases import CaseView, GetCase
from services.contracts.errors import NotVisible, ReasonRequired, Unavailable
from services.contracts.records import Record
from tests.unit.cases.making import acl, caller, case, share

BOB = caller("bob", "housing")


class Records:
    def __init__(self) -> None:
        self.kept: list[Record] = []
        self.down = False

    def keep(self, record: Record) -> None:
        if self.down:
            raise Unavailable
        self.kept.append(record)


class Sharing:
    """Answers with `lists`, or not at all."""

    def __init__(self, *lists: AccessList) -> None:
        self.lists: tuple[AccessList, ...] | None = lists
        self.asked = 0

    def call(self, method: str, request: Any, *, reply: Any) -> AccessLists:
        assert method == "access_lists"
        self.asked += 1
        if self.lists is None:
            raise Unavailable
        return AccessLists(items=tuple(one for one in self.lists if one.case_id in request.case_ids))


class Handlers(ReadsCases):
    def __init__(self, *cases: Any, sharing: Sharing | None = None) -> None:
        self.cases: Any = FakeCaseStore(*cases)
        self.reasons: Any = FakeReasonStore()
        self.reads: Any = FakeReadStore()
        self.records: Any = Records()
        self.sharing: Any = sharing or Sharing()

    def get(self, who: Caller, case_id: str = "case", **more: Any) -> CaseView:
        view: CaseView = self.get_case(GetCase(case_id=case_id, **more), who)
        return view


def test_nothing_is_shown_that_is_not_recorded() -> None:
    handlers = Handlers(case())
    handlers.records.down = True
    with pytest.raises(Unavailable):
        handlers.get(caller())
    assert handlers.reads.marks == {}
    handlers.records.down = False
    view = handlers.get(caller())
    assert view.disclosed is not None
    assert [one.id for one in handlers.records.kept] == [view.disclosed.entry_id]


def test_a_hidden_and_a_missing_case_are_refused_alike() -> None:
    handlers = Handlers(case())
    for case_id in ("case", "none"):
        with pytest.raises(NotVisible) as problem:
            handlers.get(BOB, case_id)
        assert problem.value.to_wire() == NotVisible().to_wire()
    hidden, missing = handlers.records.kept
    assert (hidden.action, hidden.outcome, hidden.code) == (missing.action, missing.outcome, missing.code)


def test_a_reason_is_asked_only_of_those_who_may_read() -> None:
    handlers = Handlers(case(share("bob", "housing")))
    with pytest.raises(ReasonRequired):
        handlers.get(BOB)
    with pytest.raises(NotVisible):
        handlers.get(caller("eve", "housing"))
    handlers.get(BOB, access_reason="task")
    handlers.get(BOB)
    assert handlers.records.kept[-1].reason == "task"


@pytest.mark.parametrize("fences", [{"case": 2}, "all"])
def test_a_list_behind_the_fence_is_fetched_kept_and_judged_by(fences: Any) -> None:
    handlers = Handlers(case(share("bob", "housing")), sharing=Sharing(acl(epoch=2)))
    with pytest.raises(NotVisible):
        handlers.get(BOB.model_copy(update={"fences": fences}), access_reason="task")
    assert [one.epoch for one in handlers.cases.lists] == [2]


@pytest.mark.parametrize("lists", [None, (acl(epoch=1),)])
def test_without_a_list_as_new_as_the_fence_there_is_no_answer(lists: Any) -> None:
    sharing = Sharing()
    sharing.lists = lists
    handlers = Handlers(case(), sharing=sharing)
    with pytest.raises(Unavailable):
        handlers.get(caller(fences={"case": 2}))
    assert handlers.records.kept == []


def test_a_case_that_sharing_does_not_know_does_not_exist() -> None:
    handlers = Handlers(case())
    with pytest.raises(NotVisible):
        handlers.get(caller(fences="all"))


def test_a_fence_of_another_case_asks_nobody() -> None:
    handlers = Handlers(case())
    handlers.get(caller(fences={"other": 7, "case": 1}))
    assert handlers.sharing.asked == 0


def test_a_fence_opens_a_hidden_case_once_only() -> None:
    handlers = Handlers(case())
    for _ in range(3):
        with pytest.raises(NotVisible):
            handlers.get(BOB.model_copy(update={"fences": {"case": 1}}))
    assert handlers.cases.whole == ["case"]
