"""Subjects, links and chronologies, asked as the gateway asks, on the real broker and database.

Cases and their access lists are put into the database as `sharing` would have made them; callers are signed
with its key. What was recorded is read from the queue that the recorder reads.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.cases.domain.case import Case, InCase, clock
from services.cases.domain.entries import Entry
from services.cases.stores.cases import CaseStore
from services.cases.stores.entries import EntryStore
from services.chassis.mongo import connect
from services.contracts.access import AccessList
from services.contracts.cases import chronology, links, subjects
from services.contracts.envelope import new_event_id
from services.contracts.errors import (
    AlreadyExists,
    ConcordatError,
    IfMatchRequired,
    Invalid,
    NotOwner,
    NotVisible,
    ReasonRequired,
    Stale,
)
from services.contracts.paging import Ref
from services.contracts.records import Record
from services.contracts.vocabulary import CaseRole
from tests.cell import Parts
from tests.integration.calling import Calling, instances
from tests.integration.cases_asker import Asker, secret_of
from tests.integration.overhearing import Overhearing
from tests.waiting import until

CASES = "services.cases.service:CasesService"
QUIET = 0.2
"""Seconds without a record: there are no more. Each is in the queue before its answer is given."""
SECTIONS = ("summary", "subjects", "timeline")


class Person(Asker):
    """Of at least one team, who keeps subjects."""

    def __init__(self, world: World, agency_id: str, *team_ids: str) -> None:
        super().__init__(world, agency_id, team_ids)

    def enter(self, body: dict[str, Any], key: str | None = None) -> dict[str, Any]:
        entered: dict[str, Any] = self.tell(
            "create_subject", subjects.CreateSubject(subject=subjects.SubjectBody.model_validate(body)), key
        )
        return entered

    def person(self, given: str, family: str, **more: Any) -> dict[str, Any]:
        names = [{"given": given, "family": family, "type": "legal"}]
        return self.enter({"kind": "person", "names": names, "team_id": self.team_ids[0], **more})

    def get(self, subject_id: str, reason: Any = None) -> dict[str, Any]:
        found: dict[str, Any] = self.ask(
            "get_subject", subjects.GetSubject(subject_id=subject_id, access_reason=reason)
        )
        return found

    def search(self, text: str, **more: Any) -> list[str]:
        found = self.ask("search_subjects", subjects.SearchSubjects(text=text, **more))
        return [one["id"] for one in found["items"]]


class World:
    """What the tests share: the client, the key, the stores, the records."""

    def __init__(self, parts: Parts, calling: Calling, database: Any) -> None:
        self.calling = calling
        self.secret = secret_of(parts)
        self.cases, self.entries = CaseStore(database), EntryStore(database)
        self.database = database
        self._overhearing = Overhearing(parts)

    def close(self) -> None:
        self._overhearing.close()

    def case(
        self,
        owner: Person,
        held: dict[str, CaseRole],
        *readers: Person,
        sections: tuple[str, ...] = SECTIONS,
        side: str | None = None,
    ) -> Case:
        """A case that holds these subjects and is shared with these people, at level contribute."""
        case_id = new_event_id()
        shares = [
            {
                "id": new_event_id(),
                "agency_id": one.agency_id,
                "user_ids": [one.id],
                "level": "contribute",
                "sections": sections,
                "side": side,
            }
            for one in readers
        ]
        acl = AccessList.model_validate(
            {
                "case_id": case_id,
                "term": 1,
                "epoch": 1,
                "owner": {
                    "user": {"id": owner.id, "name": "Owner"},
                    "agency": {"id": owner.agency_id, "name": "Agency"},
                },
                "shares": shares,
            }
        )
        case = Case(
            id=case_id,
            reference=f"C-{case_id[-8:]}",
            template="complex_asb",
            title="A case",
            status="open",
            priority="low",
            marking="official",
            acl=acl,
            created_at=clock(),
            created_by=owner.id,
            subjects=tuple(InCase(one, "A label", "person", role) for one, role in held.items()),
            changed={"case": clock()},
        )
        with self.database.client.start_session() as session, session.start_transaction():
            self.cases.insert(case, session)
        return case

    def entry(
        self, case: Case, subject_id: str, days_ago: int, author: Person, withhold_from: tuple[str, ...] = ()
    ) -> str:
        body = {
            "type": "note",
            "occurred_at": clock() - timedelta(days=days_ago),
            "text": f"{days_ago} days ago",
            "subject_ids": [subject_id],
            "withhold_from": list(withhold_from),
        }
        agency = Ref(id=author.agency_id, name="Agency")
        author_ref = Ref(id=author.id, name="Author")
        entry = Entry(new_event_id(), case.id, body, author_ref, agency, clock(), clock())
        with self.database.client.start_session() as session, session.start_transaction():
            self.entries.insert(entry, session)
        return entry.id

    def recorded(self, actor: Person) -> list[Record]:
        """What was recorded of what this person did, so far."""
        return self._overhearing.of(actor.id)


@pytest.fixture(scope="module")
def world(parts: Parts, calling: Calling, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    logs: Path = tmp_path_factory.mktemp("logs")
    with instances(parts, logs, CASES), connect(parts.mongo_url("cases"), app="test") as client:
        world = World(parts, calling, client["cases"])
        yield world
        world.close()


@pytest.fixture
def officer(world: World) -> Person:
    return Person(world, uuid.uuid4().hex, "north", "south")


@pytest.fixture
def colleague(world: World, officer: Person) -> Person:
    """Of the same agency, in one of the same teams."""
    return Person(world, officer.agency_id, "south")


@pytest.fixture
def housing(world: World) -> Person:
    """Of another agency."""
    return Person(world, uuid.uuid4().hex, "estates")


def test_a_subject_is_entered_once_and_read_by_its_team_alone(
    world: World, officer: Person, colleague: Person, housing: Person
) -> None:
    body = {
        "kind": "premises",
        "team_id": "north",
        "address": {"lines": ["6 Tullaroop Street"], "postcode": "ts11aa"},
        "external_ref": {"system": "gazetteer", "id": "G-1"},
    }
    entered = officer.enter(body, "the-key")
    assert entered["agency_id"] == officer.agency_id
    assert entered["address"]["postcode"] == "TS1 1AA"
    assert "uprn" not in entered
    again = officer.enter(body, "the-key")
    assert (again["id"], again["etag"]) == (entered["id"], entered["etag"])
    assert again["disclosed"]["entry_id"] != entered["disclosed"]["entry_id"]
    with pytest.raises(AlreadyExists):
        officer.enter(body)
    assert officer.get(entered["id"])["address"] == entered["address"]
    for stranger in (colleague, housing):
        for subject_id in (entered["id"], new_event_id()):
            with pytest.raises(NotVisible):
                stranger.get(subject_id)
    records = world.recorded(officer)
    assert [(one.action, one.outcome) for one in records if one.id == entered["disclosed"]["entry_id"]] == [
        ("subject.create", "done")
    ]
    assert {one.id for one in records} >= {again["disclosed"]["entry_id"]}
    assert [(one.outcome, one.code) for one in world.recorded(colleague)] == [("refused", "not_found")] * 2


def test_a_team_of_somebody_else_is_not_entered_for(officer: Person) -> None:
    with pytest.raises(Invalid) as refused:
        officer.enter({"kind": "family", "name": "Waller", "team_id": "estates"})
    assert [error.pointer for error in refused.value.errors] == ["/team_id"]


def test_a_subject_is_seen_through_a_case_whose_subjects_may_be_seen_for_a_reason(
    world: World, officer: Person, housing: Person
) -> None:
    shown, unshown = officer.person("Ann", "Shown"), officer.person("Ben", "Unshown")
    case = world.case(officer, {shown["id"]: "victim"}, housing)
    world.case(officer, {unshown["id"]: "victim"}, housing, sections=("summary",))
    with pytest.raises(ReasonRequired):
        housing.get(shown["id"])
    view = housing.get(shown["id"], "safeguarding")
    assert view["names"] == shown["names"]
    assert housing.get(shown["id"])["etag"] == view["etag"]
    with pytest.raises(NotVisible):
        housing.get(unshown["id"], "safeguarding")
    record = next(one for one in world.recorded(housing) if one.id == view["disclosed"]["entry_id"])
    assert record.reason == "safeguarding"
    assert [(one.type, one.id) for one in record.objects] == [("subject", shown["id"]), ("case", case.id)]


def test_the_perpetrators_side_does_not_see_the_victim(
    world: World, officer: Person, housing: Person
) -> None:
    victim, other = officer.person("Ann", "Victim"), officer.person("Ben", "Other")
    world.case(officer, {victim["id"]: "victim", other["id"]: "offender"}, housing, side="perpetrator")
    assert housing.get(other["id"], "investigation")
    with pytest.raises(NotVisible):
        housing.get(victim["id"], "investigation")
    assert housing.search("victim") == []
    assert housing.search("other") == [other["id"]]


def test_a_revoked_reader_sees_nothing_any_more(world: World, officer: Person, housing: Person) -> None:
    subject = officer.person("Ann", "Once")
    case = world.case(officer, {subject["id"]: "witness"}, housing)
    housing.get(subject["id"], "other")
    world.cases.keep_lists([case.acl.model_copy(update={"epoch": 2, "shares": ()})])
    with pytest.raises(NotVisible):
        housing.get(subject["id"], "other")
    assert housing.search("once") == []


def test_a_change_needs_the_present_version_and_its_keepers(
    world: World, officer: Person, housing: Person
) -> None:
    subject = officer.person("Ann", "Before", external_ref={"system": "x", "id": "1"})
    case = world.case(officer, {subject["id"]: "witness"}, housing)

    def patch(who: Person, if_match: str | None, **changes: Any) -> dict[str, Any]:
        request = subjects.PatchSubject(
            subject_id=subject["id"],
            if_match=if_match,
            changes=subjects.SubjectChanges.model_validate(changes),
        )
        patched: dict[str, Any] = who.tell("patch_subject", request)
        return patched

    after = [{"given": "Ann", "family": "After", "type": "legal"}]
    with pytest.raises(IfMatchRequired):
        patch(officer, None, names=after)
    with pytest.raises(NotOwner):
        patch(housing, subject["etag"], names=after)
    view = patch(officer, subject["etag"], names=after, external_ref=None)
    assert view["names"] == after
    assert "external_ref" not in view
    with pytest.raises(Stale) as stale:
        patch(officer, subject["etag"], names=after)
    assert stale.value.etag == view["etag"]
    assert officer.search("before") == []
    changed = world.cases.find(case.id)
    assert changed is not None
    assert (changed.version, changed.subjects[0].name) == (2, "Ann After")
    told = world.database["commands"].find_one({"events.aggregate": case.aggregate})
    assert told is not None
    with pytest.raises(Invalid):
        patch(officer, view["etag"], uprn="1")


def test_lists_and_searches_go_on_where_they_ended(officer: Person, colleague: Person) -> None:
    made = [officer.person(f"Given{n}", "Paged")["id"] for n in range(5)]
    officer.enter({"kind": "family", "name": "Paged", "team_id": "north"})

    def pages(method: str, request: Any, **more: Any) -> list[str]:
        found: list[str] = []
        cursor = None
        while True:
            page = officer.ask(method, request(limit=2, cursor=cursor, **more))
            assert len(page["items"]) <= 2
            found += [one["id"] for one in page["items"]]
            cursor = page["next"]
            if cursor is None:
                return found

    assert pages("list_subjects", subjects.ListSubjects, kind="person") == made[::-1]
    assert pages("search_subjects", subjects.SearchSubjects, text="paged giv") == made[::-1]
    assert colleague.ask("list_subjects", subjects.ListSubjects())["items"] == []


def test_a_search_finds_what_others_show_and_is_recorded_with_its_hits(
    world: World, officer: Person, housing: Person
) -> None:
    hers = [officer.person("Ann", f"Sought{n}")["id"] for n in range(3)]
    his = housing.person("Bob", "Soughtalso")["id"]
    officer.person("Cat", "Soughtnot")
    world.case(officer, dict.fromkeys(hers, "witness"), housing)
    assert housing.search("sought") == [his, *hers[::-1]]
    assert housing.search("sought", agency_id=officer.agency_id) == hers[::-1]
    assert housing.search("sought", limit=2) == [his, hers[2]]
    assert housing.search("a") == []
    record = next(one for one in world.recorded(housing) if one.action == "subject.search")
    assert {one.id for one in record.objects if one.type == "subject"} == {his, *hers}


def test_links_join_what_both_may_be_seen_and_are_listed_so(
    world: World, officer: Person, housing: Person
) -> None:
    ann, ben, cat = (officer.person(name, "Linked")["id"] for name in ("Ann", "Ben", "Cat"))
    his = housing.person("Dan", "Linked")["id"]

    def link(who: Person, start: str, end: str, **more: Any) -> Any:
        body = {"kind": "associate_of", "to_subject_id": end, "source": "seen together", **more}
        request = links.CreateLink(subject_id=start, link=links.LinkBody.model_validate(body))
        return who.tell("create_link", request)

    def listed(who: Person, subject_id: str) -> list[str]:
        page = who.ask("list_links", links.ListLinks(subject_id=subject_id, access_reason="other"))
        return [one["other"]["id"] for one in page["items"]]

    first = link(officer, ann, ben, since="2026-01-02")
    assert (first["other"]["name"], first["since"]) == ("Ben Linked", "2026-01-02")
    assert "until" not in first
    link(officer, cat, ann)
    assert listed(officer, ann) == [ben, cat]
    for end in (his, new_event_id()):
        with pytest.raises(Invalid) as refused:
            link(officer, ann, end)
        assert [(e.pointer, e.code) for e in refused.value.errors] == [("/to_subject_id", "unknown_subject")]
    for wrong in ({"kind": "resides_at"}, {"since": "2026-01-02", "until": "2026-01-01"}):
        with pytest.raises(Invalid):
            link(officer, ann, ben, **wrong)
    with pytest.raises(NotVisible):
        listed(housing, ann)
    world.case(officer, {ann: "witness", cat: "witness"}, housing)
    assert listed(housing, ann) == [cat]

    def patch(who: Person, **changes: Any) -> Any:
        request = links.PatchLink(
            subject_id=ann, link_id=first["id"], changes=links.LinkChanges.model_validate(changes)
        )
        return who.tell("patch_link", request)

    assert patch(officer, until="2026-02-01", source="told so")["until"] == "2026-02-01"
    with pytest.raises(Invalid):
        patch(officer, until="2025-01-01")
    with pytest.raises(NotVisible):
        patch(housing, until=None)
    gone = links.DeleteLink(subject_id=ann, link_id=first["id"])
    officer.tell("delete_link", gone, "delete-key")
    officer.tell("delete_link", gone, "delete-key")
    with pytest.raises(NotVisible):
        officer.tell("delete_link", gone)
    assert listed(officer, ann) == [cat]
    kinds = [one.operation for one in world.recorded(officer) if one.action.startswith("link.")]
    assert kinds[0] == "combination"
    assert "erasure" in kinds


def test_a_chronology_joins_the_cases_that_may_be_seen_in_the_order_of_what_happened(
    world: World, officer: Person, housing: Person
) -> None:
    subject = officer.person("Ann", "Long")["id"]
    shared = world.case(officer, {subject: "victim"}, housing)
    timeless = world.case(officer, {subject: "victim"}, housing, sections=("subjects",))
    unseen = world.case(officer, {subject: "victim"})
    old, withheld = world.entry(shared, subject, 900, officer), None
    withheld = world.entry(shared, subject, 800, officer, (housing.agency_id,))
    middle = world.entry(unseen, subject, 700, officer)
    late = world.entry(timeless, subject, 600, officer)
    new = world.entry(shared, subject, 500, housing)

    def chronology_of(who: Person, **more: Any) -> list[str]:
        found: list[str] = []
        cursor = None
        while True:
            request = chronology.GetChronology(
                subject_id=subject, limit=2, cursor=cursor, access_reason="meeting", **more
            )
            page = who.ask("get_chronology", request)
            assert all(one["case"].keys() == {"id", "name"} for one in page["items"])
            found += [one["entry"]["id"] for one in page["items"]]
            cursor = page["next"]
            if cursor is None:
                return found

    with pytest.raises(ReasonRequired):
        housing.ask("get_chronology", chronology.GetChronology(subject_id=subject))
    assert chronology_of(officer) == [old, withheld, middle, late, new]
    assert chronology_of(officer, order="newest") == [new, late, middle, withheld, old]
    assert chronology_of(housing) == [old, new]
    stranger = Person(world, uuid.uuid4().hex, "north")
    with pytest.raises(NotVisible):
        chronology_of(stranger)
    shown = [one for one in world.recorded(housing) if one.outcome == "shown"]
    assert {thing.id for one in shown for thing in one.objects if thing.type == "case"} == {shared.id}


def test_what_is_not_ours_to_read_is_malformed(officer: Person) -> None:
    for cursor in ("x", "WzFd", "W10="):
        with pytest.raises(ConcordatError) as refused:
            officer.ask("list_subjects", subjects.ListSubjects(cursor=cursor))
        assert refused.value.code == "malformed"


def test_every_query_uses_an_index(world: World, officer: Person) -> None:
    officer.person("Ann", "Indexed")
    until(lambda: world.database["subjects"].count_documents({}) > 0)
    for name, wanted in (
        ("subjects", {"team_id": {"$in": ["north"]}, "words": {"$regex": "^ind"}}),
        ("subjects", {"team_id": {"$in": ["north"]}, "kind": "person"}),
        ("subjects", {"agency_id": "a", "external": "b"}),
        ("cases", {"subjects.id": {"$in": ["a"]}, "readers": {"$in": ["b"]}}),
        ("entries", {"body.subject_ids": "a", "case_id": {"$in": ["b"]}}),
        ("links", {"ends": "a"}),
    ):
        plan = str(world.database[name].find(wanted).explain()["queryPlanner"]["winningPlan"])
        assert "IXSCAN" in plan, (name, wanted)
        assert "COLLSCAN" not in plan, (name, wanted)
