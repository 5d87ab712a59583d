"""Entries are revised and withdrawn in the open."""

from __future__ import annotations

from typing import Any

import pytest

from services.cases.domain.case import InCase, entry_added, entry_changed
from services.cases.domain.entries import Entry, entry_view, new_entry, revised, withdrawn
from services.contracts.cases.entries import EntryBody, EntryChanges
from services.contracts.errors import Invalid, InvalidTransition, Refused
from services.contracts.parsing import parse
from tests.unit.cases.making import NOW, caller, case, share

ONE = case(share("bob", "housing", level="contribute"), subjects=(InCase("s", "S", "person", "witness"),))
BOB = caller("bob", "housing")


def body(**more: Any) -> EntryBody:
    return EntryBody(**{"type": "note", "occurred_at": NOW, "text": "First", **more})


def entry(**more: Any) -> Entry:
    return new_entry("entry", ONE, body(**more), BOB, NOW)


def changes(**more: Any) -> EntryChanges:
    return parse(EntryChanges, {"reason": "A slip", **more})


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"subject_ids": ("s", "x")}, "/subject_ids/1"),
        ({"withhold_from": ("probation", "police")}, "/withhold_from/1"),
        ({"withhold_from": ("housing",)}, "/withhold_from/0"),
        (
            {
                "intervention": {
                    "kind": "Visit",
                    "responsible_user_id": None,
                    "outcome": None,
                    "ended_at": None,
                }
            },
            "/intervention",
        ),
    ],
)
def test_what_does_not_fit_the_case_is_pointed_at(fields: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as invalid:
        entry(**fields)
    assert [one.pointer for one in invalid.value.errors] == [pointer]


def test_a_revision_keeps_what_was_said() -> None:
    second = revised(revised(entry(), changes(text="Second"), BOB, NOW), changes(text="Third"), BOB, NOW)
    view = entry_view(second, ONE, BOB, full=True)
    assert view.text == "Third"
    assert [one.text for one in view.revisions] == ["First", "Second"]
    assert second.updated_at > NOW
    assert "revisions" not in entry_view(second, ONE, BOB, full=False).model_fields_set


def test_a_revision_says_something() -> None:
    with pytest.raises(Invalid):
        revised(entry(), changes(), BOB, NOW)
    with pytest.raises(Invalid):
        revised(entry(), changes(occurred_at=None), BOB, NOW)


def test_only_the_authors_agency_corrects_and_withdraws() -> None:
    with pytest.raises(Refused):
        revised(entry(), changes(text="X"), caller(), NOW)
    gone = withdrawn(entry(), "Wrong case", caller("bea", "housing"), NOW)
    with pytest.raises(InvalidTransition):
        withdrawn(gone, "Again", BOB, NOW)
    view = entry_view(gone, ONE, caller(), full=True).model_dump(exclude_unset=True)
    assert not {"text", "revision", "revisions", "subject_ids"} & view.keys()
    assert view["withdrawn"]["reason"] == "Wrong case"


def test_a_withheld_entry_moves_only_what_the_others_see() -> None:
    assert entry_added(ONE, (), NOW).sets == {"changed.timeline": NOW}
    change = entry_added(ONE, ("b", "a", "b"), NOW)
    assert change.exact
    assert change.sets == {"withheld": [{"agencies": ["a", "b"], "count": 1, "at": NOW}]}
    assert entry_changed(ONE, (), NOW).counts == {}
