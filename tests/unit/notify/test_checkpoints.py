"""A checkpoint of the audit log as a subscriber gets it, and whom it may be told."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, cast

from services.chassis.client import Peer
from services.contracts.authority import MayKnow, MayKnowAnswers, Principal, Principals
from services.contracts.paging import Ref
from services.notify.knowing import may_be_told
from services.notify.stores.rows import told_from_row, told_to_row
from tests.unit.notify.made import AT, checkpoint, item


def test_the_event_has_what_is_needed_to_compare_and_nothing_else() -> None:
    body = json.loads(checkpoint().thin(3).model_dump_json(exclude_unset=True))
    assert body == {
        "specversion": "1.0",
        "id": "0197f0a0-0000-7000-8000-000000000002",
        "source": "/concordat/audit",
        "type": "checkpoint.signed",
        "time": "2026-11-01T12:00:00Z",
        "subject": "checkpoints/4",
        "datacontenttype": "application/json",
        "sequence": "3",
        "data": {"origin": "test.example/log", "size": 4, "root_hash": "cm9vdA==", "note": "a note"},
    }


def test_it_is_kept_and_read_as_it_was_and_so_is_an_item() -> None:
    for told in (checkpoint(), item()):
        assert told_from_row(told_to_row(told)) == told


def test_another_root_is_another_tree_and_another_cosignature_is_not() -> None:
    assert replace(checkpoint(), note="a note, cosigned").tree == checkpoint().tree
    assert replace(checkpoint(), root_hash="bW9yZQ==").tree != checkpoint().tree


class Authority:
    """Knows the case k1, and the client c1."""

    def __init__(self, *, active: bool = True, inactive_agencies: tuple[str, ...] = ()) -> None:
        self._active, self._agencies = active, inactive_agencies

    def call(self, method: str, request: Any, *, reply: type[Any]) -> Any:
        if method == "may_know":
            assert isinstance(request, MayKnow)
            return MayKnowAnswers(answers=tuple(one.case_id == "k1" for one in request.questions))
        agency = Ref(id="a2", name="A")
        known = Principal(kind="client", id="c1", name="C", agency=agency, active=self._active)
        return Principals(items=(known,), inactive_agencies=self._agencies, now=AT)


def test_an_active_client_of_an_active_agency_is_told_and_the_others_are_not() -> None:
    told = [item(), checkpoint(), item(case_id="k2")]

    def asked(client: str = "c1", **state: Any) -> list[bool]:
        return may_be_told(cast(Peer, Authority(**state)), client, told)

    assert asked() == [True, True, False]
    assert asked(active=False) == [True, False, False]
    assert asked(inactive_agencies=("a2",)) == [True, False, False]
    assert asked("c2") == [True, False, False]
