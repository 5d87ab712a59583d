"""Nothing that was not granted is shown, nor any trace of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from services.cases.domain.case import Case, InCase, Withheld
from services.cases.domain.showing import case_item, case_view, hidden_subjects
from services.contracts.access import standing_of
from services.contracts.caller import Caller
from services.contracts.vocabulary import Section
from tests.unit.cases.making import NOW, caller, case, share


def shown(one: Case, who: Caller) -> dict[str, Any]:
    standing = standing_of(who, one.acl)
    assert standing is not None
    return case_view(one, who, standing).model_dump(exclude_unset=True)


LATER = NOW + timedelta(hours=1)
BOB = caller("bob", "housing")


def test_the_body_of_a_case_has_only_granted_sections() -> None:
    everything = shown(case(), caller())
    assert {"summary", "subjects"} <= everything.keys()
    some = shown(case(share("bob", "housing", sections=("timeline",))), BOB)
    assert not {"summary", "subjects"} & some.keys()
    assert some["my_access"]["sections"] == ("timeline",)
    assert "external_ref" not in some


@pytest.mark.parametrize(
    ("section", "part", "moves"),
    [
        ("timeline", "timeline", True),
        ("tasks", "timeline", False),
        ("tasks", "tasks", True),
        ("summary", "case", True),
        ("timeline", "summary", False),
        ("summary", "summary", True),
        ("subjects", "victims", True),
        ("timeline", "subjects", False),
    ],
)
def test_the_last_change_is_the_last_that_the_reader_may_see(
    section: Section, part: str, moves: bool
) -> None:
    before = case(share("bob", "housing", sections=(section,)))
    after = case(share("bob", "housing", sections=(section,)), changed={"case": NOW, part: LATER})
    assert (shown(after, BOB)["updated_at"] == LATER) is moves
    assert (shown(after, BOB)["etag"] != shown(before, BOB)["etag"]) is moves


def test_what_is_withheld_from_an_agency_leaves_no_trace_there() -> None:
    given = share("bob", "housing"), share("eve", "probation")
    before = case(*given, entries=1)
    after = case(*given, entries=3, withheld=(Withheld(("housing",), 2, LATER),))
    assert shown(after, BOB) == shown(before, BOB)
    eve = caller("eve", "probation")
    assert shown(after, eve)["counts"]["entries"] == 3
    assert shown(after, eve)["updated_at"] == LATER


def test_the_perpetrators_side_sees_no_victim() -> None:
    people = (InCase("v", "V", "person", "victim"), InCase("p", "P", "person", "offender"))
    one = case(share("bob", "housing", side="perpetrator"), share("eve", "probation"), subjects=people)
    assert [subject["subject"]["id"] for subject in shown(one, BOB)["subjects"]] == ["p"]
    assert hidden_subjects(one, BOB) == {"v"}
    assert len(shown(one, caller("eve", "probation"))["subjects"]) == 2
    changed = case(*one.acl.shares, subjects=people, changed={"case": NOW, "victims": LATER})
    assert shown(changed, BOB) == shown(one, BOB)


def test_a_line_of_a_list_tells_no_more_than_the_case() -> None:
    one = case(
        share("bob", "housing", sections=("summary",)),
        share("eve", "probation", level="know"),
        next_due="2026-12-01",
    )

    def line(who: Caller, seen: dict[str, datetime]) -> dict[str, Any]:
        standing = standing_of(who, one.acl)
        assert standing is not None
        return case_item(one, who, standing, seen).model_dump(exclude_unset=True)

    assert line(caller(), {})["next_due"] == "2026-12-01"
    assert line(BOB, {})["next_due"] is None
    assert line(BOB, {})["unread"]
    assert not line(BOB, {"case": NOW})["unread"]
    assert line(caller("eve", "probation"), {}).keys() == {"id", "reference", "owner", "my_access"}


def test_what_one_may_do_follows_level_section_and_role() -> None:
    writer = share("bob", "housing", level="contribute", sections=("timeline",))
    assert shown(case(writer), BOB)["my_access"]["may"] == ("add_entry",)
    assert "share_case" in shown(case(), caller())["my_access"]["may"]
    light = caller("bob", "housing", roles=("light_participant",))
    assert shown(case(writer), light)["my_access"]["may"] == ()
