"""Links: between whom there may be one, and how it changes; and why a caller sees a subject."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.cases.domain.case import Case, InCase
from services.cases.domain.links import Link, check_link
from services.cases.domain.sights import sight_of, subjects_shown, things
from services.cases.domain.subjects import Subject, body_of
from services.contracts.access import AccessList, standing_of
from services.contracts.caller import Caller
from services.contracts.cases.links import LinkBody, LinkChanges
from services.contracts.errors import Invalid

NOW = datetime(2026, 11, 24, tzinfo=UTC)
BODIES: dict[str, dict[str, Any]] = {
    "person": {"names": [{"given": "Ann", "family": "Waller", "type": "legal"}]},
    "family": {"name": "Waller"},
    "premises": {"address": {"lines": ["6 High Street"], "postcode": "TS1 1AA"}},
    "place": {"name": "Park", "geometry": {"type": "Point", "coordinates": [-1, 54]}},
}


def subject(kind: str, subject_id: str | None = None, agency_id: str = "police") -> Subject:
    body = body_of({"kind": kind, "team_id": "north", **BODIES[kind]})
    return Subject(subject_id or kind, agency_id, body, 1, "u1", NOW, NOW)


def body(kind: str, **more: Any) -> LinkBody:
    return LinkBody.model_validate({"kind": kind, "to_subject_id": "x", "source": "said so", **more})


def caller(agency_id: str = "housing", *team_ids: str) -> Caller:
    return Caller(
        kind="user",
        id="reader",
        agency_id=agency_id,
        team_ids=team_ids,
        device_class="managed",
        audience="cases",
        method="get_subject",
        args_hash="0" * 64,
        request_id="r",
        now=NOW,
        expires_at=NOW,
    )


def case(*sections: str, side: str | None = None, level: str = "read", owner: str = "police") -> Case:
    acl = {
        "case_id": "c1",
        "term": 1,
        "epoch": 1,
        "owner": {"user": {"id": "o", "name": "O"}, "agency": {"id": owner, "name": "A"}},
        "shares": [
            {
                "id": "s1",
                "agency_id": "housing",
                "user_ids": ["reader"],
                "level": level,
                "sections": sections,
                "side": side,
            }
        ],
    }
    return Case(
        id="c1",
        reference="C-1",
        template="iom",
        title="T",
        status="open",
        priority="low",
        marking="official",
        acl=AccessList.model_validate(acl),
        created_at=NOW,
        created_by="o",
        subjects=(InCase("person", "Ann", "person", "victim"), InCase("family", "W", "family", "family")),
    )


def shown(one: Case) -> set[str]:
    standing = standing_of(caller(), one.acl)
    assert standing is not None
    return subjects_shown(one, caller(), standing)


@pytest.mark.parametrize(
    ("kind", "start", "end", "strange"),
    [
        ("member_of_family", "person", "family", "person"),
        ("resides_at", "person", "premises", "family"),
        ("associate_of", "person", "family", "place"),
        ("victim_of", "family", "person", "premises"),
        ("perpetrator_against", "person", "premises", None),
        ("occurred_at", "person", "place", "person"),
    ],
)
def test_a_link_joins_what_its_kind_says_and_nothing_else(
    kind: str, start: str, end: str, strange: str | None
) -> None:
    check_link(body(kind), subject(start, "a"), subject(end, "b"))
    if strange is not None:
        with pytest.raises(Invalid) as refused:
            check_link(body(kind), subject(start, "a"), subject(strange, "b"))
        assert [error.pointer for error in refused.value.errors] == ["/kind"]


def test_a_link_to_itself_and_one_that_ends_before_it_begins_are_refused() -> None:
    with pytest.raises(Invalid):
        check_link(body("associate_of"), subject("person"), subject("person"))
    with pytest.raises(Invalid):
        check_link(
            body("associate_of", since="2026-02-01", until="2026-01-31"),
            subject("person", "a"),
            subject("person", "b"),
        )


def test_changes_of_a_link_set_dates_take_them_away_and_count() -> None:
    link = Link("l", "associate_of", "a", "b", date(2026, 1, 1), None, "said so", "police", "u", NOW, NOW)
    after = link.changed(LinkChanges.model_validate({"since": None, "until": "2026-03-01"}), NOW)
    assert (after.since, after.until, after.source, after.version) == (None, date(2026, 3, 1), "said so", 2)
    with pytest.raises(Invalid):
        link.changed(LinkChanges.model_validate({"until": "2025-12-31"}), NOW)
    with pytest.raises(Invalid):
        link.changed(LinkChanges.model_validate({"source": None}), NOW)
    view = link.view("b", subject("person", "a")).model_dump(mode="json", exclude_unset=True)
    assert (view["other"]["id"], view["since"]) == ("a", "2026-01-01")
    assert "until" not in view


def test_a_case_shows_its_subjects_where_they_are_granted_and_no_victim_to_the_other_side() -> None:
    assert shown(case("subjects")) == {"person", "family"}
    assert shown(case("summary", "timeline")) == set()
    assert shown(case("subjects", level="task")) == set()
    assert shown(case("subjects", side="perpetrator")) == {"family"}


def test_a_subject_is_seen_by_its_own_team_or_through_a_case_or_not_at_all() -> None:
    one = case("subjects", level="contribute")
    standing = standing_of(caller(), one.acl)
    assert standing is not None
    through = sight_of(subject("person"), "person", caller(), [(one, standing)])
    assert through
    assert not through.own
    assert through.may_add
    assert [thing.type for thing in things(subject("person"), through)] == ["subject", "case"]
    own = sight_of(subject("person"), "person", caller("police", "north"), [])
    assert own.own
    assert [thing.type for thing in things(subject("person"), own)] == ["subject"]
    assert not sight_of(subject("person"), "person", caller("police", "south"), [])
    assert not sight_of(None, "person", caller(), [(one, standing)])
    assert not sight_of(subject("place"), "place", caller(), [(one, standing)])
