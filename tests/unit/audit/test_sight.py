"""Who may see what of the log, and how a question is asked of its index."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from services.audit.domain import cursors
from services.audit.domain.leaves import leaf_of, read_detail
from services.audit.domain.lookups import search, words
from services.audit.domain.sight import Sight, named_by, sight_of
from services.audit.domain.views import consultation, entry_view, ids_of, own_consultation
from services.audit.handlers.filling import AT_ONCE, TURNS, cut, fill
from services.audit.handlers.reading import ENOUGH, Reading, page
from services.audit.handlers.reviews import without
from services.audit.stores.entries import Detail
from services.contracts.audit import ListEntries
from services.contracts.authority import Exclusions, GetExclusions
from services.contracts.caller import Caller
from services.contracts.errors import Malformed
from services.contracts.records import Actor, Object
from tests.unit.audit.logs import NOW, record

OWN = Object(type="case", id="case-1", agency_id="police", sections=("summary",))
OTHER = Object(type="case", id="case-2", agency_id="thirteen", sections=("summary", "victim"))


def caller(id_: str, agency: str = "police", *roles: str) -> Caller:
    return Caller(
        kind="user",
        id=id_,
        agency_id=agency,
        roles=roles,
        device_class="managed",
        audience="audit",
        method="list_entries",
        args_hash="0" * 64,
        request_id="r",
        now=NOW,
        expires_at=NOW + timedelta(seconds=5),
    )


def actor(id_: str = "user-1", agency: str = "police", accountable: str | None = None) -> Actor:
    kind: Any = "client" if accountable else "user"
    return Actor(kind=kind, id=id_, agency_id=agency, accountable_id=accountable)


LISTED = record(objects=(OWN, OTHER), action="case.list", how="listed")


def test_everyone_sees_own_acts_whole_and_nobody_elses() -> None:
    assert sight_of(caller("user-1")).sees_whole(LISTED)
    assert not sight_of(caller("user-2")).sees(LISTED)


def test_an_accountable_person_sees_what_the_client_did() -> None:
    by_client = record(actor=actor("client-1", accountable="user-3"))
    assert sight_of(caller("user-3")).sees_whole(by_client)


def test_the_partnerships_officer_sees_all() -> None:
    assert sight_of(caller("dpo", "opcc", "partnership_dpo")).sees_whole(LISTED)


def test_an_agencys_officer_sees_its_people_whole_and_of_others_what_concerns_its_data() -> None:
    police, thirteen = caller("d", "police", "agency_dpo"), caller("d", "thirteen", "agency_dpo")
    assert sight_of(police).part(LISTED) == (OWN, OTHER)
    assert sight_of(thirteen).part(LISTED) == (OTHER,)
    assert sight_of(thirteen).sees(LISTED)
    assert not sight_of(thirteen).sees_whole(LISTED)
    assert not sight_of(caller("d", "nhs", "agency_dpo")).sees(LISTED)


def test_an_owner_sees_of_an_entry_about_several_cases_the_own_alone() -> None:
    sight = sight_of(caller("owner", "thirteen", "practitioner"), ["case-2"])
    assert sight.part(LISTED) == (OTHER,)
    with_subject = record(objects=(OTHER, Object(type="subject", id="s-1")))
    assert sight.sees_whole(with_subject)
    assert not sight.sees(record(objects=(OWN,)))


def test_what_is_seen_is_found_under_a_word_of_it() -> None:
    for sight in (
        sight_of(caller("user-1")),
        sight_of(caller("d", "thirteen", "agency_dpo")),
        sight_of(caller("o", "thirteen"), ["case-2"]),
    ):
        assert set(sight.words) & set(words(LISTED))


def test_an_entry_has_few_words_each_once() -> None:
    found = words(record())
    assert len(found) == len(set(found)) <= 12
    assert {"p:user-1", "a:police", "d:police", "c:case-1", "x:case.read", "o:shown"} <= set(found)
    assert "p:user-1|refused" in words(record(outcome="refused"))


@pytest.mark.parametrize(
    ("asked", "within", "entered"),
    [
        ({}, (), None),
        ({}, ("p:u",), ("p:u",)),
        ({"case_id": "c", "actor_id": "u", "action": "case.read"}, (), ("c:c",)),
        ({"subject_id": "s", "agency_id": "a"}, ("d:x",), ("s:s",)),
        ({"actor_id": "u", "action": "case.read"}, (), ("p:u|case.read",)),
        ({"agency_id": "a", "outcome": "refused"}, (), ("a:a|refused",)),
        ({"action": "case.read"}, ("p:u", "q:u"), ("p:u|case.read", "q:u|case.read")),
        ({"action": "case.read", "outcome": "shown"}, (), ("x:case.read",)),
        ({"action": "case.read", "outcome": "refused"}, (), ("x:case.read|refused",)),
        ({"outcome": "refused"}, (), ("o:refused",)),
    ],
)
def test_the_index_is_entered_with_what_few_entries_have(
    asked: dict[str, Any], within: tuple[str, ...], entered: tuple[str, ...] | None
) -> None:
    found = search(ListEntries(**asked), within)
    assert (found.each[0] if found.each else None) == entered


def test_every_condition_is_in_the_search() -> None:
    asked = ListEntries(
        actor_id="u", agency_id="a", case_id="c", subject_id="s", action="case.read", outcome="refused"
    )
    flat = {word for one in search(asked, ("d:x",)).each for word in one}
    assert flat == {"c:c", "s:s", "p:u", "a:a", "d:x", "x:case.read", "x:case.read|refused", "o:refused"}


def test_a_leaf_says_nothing_of_the_detail_and_the_detail_is_the_record() -> None:
    one = record(doubtful=((1, 2),))
    leaf = leaf_of(one, b"s" * 32)
    assert "user-1" not in leaf.leaf.decode()
    again = read_detail(leaf.detail)
    assert again == one.model_copy(update={"publisher": "", "number": 0, "doubtful": ()})


def test_an_entry_is_shown_as_the_api_has_it() -> None:
    one = record(actor=actor("client-1", accountable="user-3"), reason="safeguarding")
    names = {"client-1": "Thirteen's system", "user-3": "Ann", "police": "Cleveland Police"}
    shown = entry_view(4, one, names).model_dump(mode="json", exclude_unset=True)
    assert shown == {
        "id": one.id,
        "index": 4,
        "at": "2026-11-24T12:00:00Z",
        "actor": {"id": "client-1", "name": "Thirteen's system"},
        "accountable": {"id": "user-3", "name": "Ann"},
        "agency": {"id": "police", "name": "Cleveland Police"},
        "action": "case.read",
        "objects": [{"type": "case", "id": "case-1", "sections": ["summary"]}],
        "reason": "safeguarding",
        "outcome": "shown",
        "request_id": "request-0",
    }
    assert ids_of([one, one]) == ["client-1", "user-3", "police"]


def test_a_look_shows_the_sections_of_that_case_alone() -> None:
    shown = consultation(LISTED, "case-2", {}).model_dump(mode="json", exclude_unset=True)
    assert shown["sections"] == ["summary", "victim"]
    assert shown.keys() == {"entry_id", "at", "actor", "agency", "how", "sections", "outcome"}
    done = own_consultation(record(outcome="done"), {})
    assert done.outcome == "shown"


def test_names_are_asked_of_what_has_the_form_of_an_id_alone() -> None:
    one = record(actor=Actor(kind="user", id="no id", agency_id="x" * 65, accountable_id="user-3"))
    assert ids_of([one]) == ["user-3"]


def test_a_page_of_entries_about_very_many_things_is_shorter() -> None:
    short = [Detail(index, NOW, "x", b"") for index in range(6)]
    assert page(short, 5) == (short[:5], cursors.write(cursors.millis(NOW), 4))
    assert page(short, 6) == (short, None)
    long = [Detail(index, NOW, "x" * (ENOUGH // 2), b"") for index in range(6)]
    shown, next_ = page(long, 5)
    assert (len(shown), next_) == (2, cursors.write(cursors.millis(NOW), 1))
    huge = [Detail(index, NOW, "x" * ENOUGH * 2, b"") for index in range(2)]
    assert page(huge, 5)[0] == huge[:1]
    assert page(huge[:1], 5) == (huge[:1], None)
    assert page([], 5) == ([], None)


def test_cursors_are_read_again_and_others_refused() -> None:
    at = datetime(2026, 11, 24, 1, 2, 3, 456000, tzinfo=UTC)
    assert cursors.moment(cursors.read(cursors.write(cursors.millis(at), 7), 2)[0]) == at
    for text in (
        "",
        "x",
        "AAAA",
        cursors.write(1),
        cursors.write(1, 2, 3),
        "MS4y==",
        cursors.write(1, 2**60),
    ):
        with pytest.raises(Malformed):
            cursors.read(text, 2)
    with pytest.raises(Malformed):
        cursors.moment(2**53)


HIDDEN = Object(type="case", id="case-2", agency_id="thirteen")
MISSING = Object(type="case", id="case-9", agency_id=None)


@pytest.mark.parametrize("thing", [HIDDEN, MISSING, OWN])
def test_who_was_refused_is_not_told_by_their_own_entry_whether_there_is_such_a_case(thing: Object) -> None:
    refused = record(objects=(thing,), outcome="refused", code="not_found")
    for reader in (caller("user-1"), caller("supervisor", "police", "supervisor")):
        sight = sight_of(reader, team=("user-1",) if reader.roles else ())
        assert sight.sees(refused)
        assert not sight.sees_whole(refused)
    officer = sight_of(caller("d", "police", "agency_dpo"))
    assert officer.sees(refused)
    assert officer.sees_whole(refused) is (thing is OWN)
    assert sight_of(caller("dpo", "opcc", "partnership_dpo")).sees_whole(refused)


# --- to whom a case does not exist ---

READERS = (
    sight_of(caller("user-1")),
    sight_of(caller("sue", "police", "supervisor"), team=["user-1"]),
    sight_of(caller("d", "police", "agency_dpo")),
    sight_of(caller("dpo", "opcc", "partnership_dpo")),
    sight_of(caller("o", "police", "practitioner"), ["case-1", "case-2"]),
)
OTHERS = READERS[1:]
TASK = Object(type="task", id="task-1", agency_id="police", sections=("tasks",))


@pytest.mark.parametrize("sight", OTHERS)
def test_what_others_did_with_a_case_that_does_not_exist_for_the_reader_is_not_there(sight: Sight) -> None:
    shut = sight.without(["case-1"])
    for objects in ((OWN,), (OWN, TASK), (Object(type="log", id="case-1"),)):
        assert not shut.sees(record(objects=objects))
        assert not shut.sees(record(objects=objects, outcome="refused"))
        assert not shut.sees_whole(record(objects=objects))
    assert shut.sees(record(objects=(Object(type="case", id="case-3", agency_id="police"),))) == sight.sees(
        record(objects=(Object(type="case", id="case-3", agency_id="police"),))
    )


@pytest.mark.parametrize("sight", READERS)
def test_an_entry_that_is_about_others_as_well_says_nothing_of_it_and_is_never_whole(sight: Sight) -> None:
    beside = Object(type="case", id="case-2", agency_id="police")
    shut, listed_ = sight.without(["case-1"]), record(objects=(OWN, TASK, beside), use="iom", reason="other")
    assert shut.sees(listed_)
    assert not shut.sees_whole(listed_)
    known = shut.known(listed_)
    assert known.objects == shut.part(listed_) == (beside,)
    assert (known.use, known.reason) == (None, None)


def test_own_acts_stay_without_what_they_were_done_to() -> None:
    shut = sight_of(caller("user-1")).without(["case-1"])
    own = record(objects=(OWN, TASK))
    assert shut.sees(own)
    assert shut.part(own) == ()
    assert not shut.sees_whole(own)
    by_client = record(actor=actor("client-1", accountable="user-1"), objects=(OWN,))
    assert shut.sees(by_client)
    assert shut.part(by_client) == ()


@pytest.mark.parametrize("roles", [(), ("agency_dpo",), ("partnership_dpo",)])
def test_an_own_refusal_does_not_tell_a_case_that_is_hidden_from_one_that_is_not_there(roles: Any) -> None:
    shut = sight_of(caller("user-1", "opcc", *roles)).without(["case-1"])
    hidden = record(actor=actor("user-1", "opcc"), objects=(OWN,), outcome="refused")
    missing = record(
        actor=actor("user-1", "opcc"), objects=(Object(type="case", id="case-9"),), outcome="refused"
    )
    for one in (hidden, missing):
        assert shut.sees(one)
        assert shut.known(one).objects == one.objects
        assert not shut.sees_whole(one)


def test_all_that_an_entry_may_name_a_case_by_is_asked_about() -> None:
    read = record(objects=(Object(type="log", id="case-3"), Object(type="subject", id="s-1")))
    assert named_by([LISTED, read, LISTED]) == ["case-1", "case-2", "case-3"]


def test_a_page_is_filled_with_what_may_be_shown_and_is_the_last_only_if_it_is() -> None:
    def read(after: int | None, limit: int) -> list[int]:
        reads.append(limit)
        first = 0 if after is None else after + 1
        return list(range(first, min(first + limit, 2000)))

    def pages(shown: Callable[[int], bool]) -> Iterator[list[int]]:
        after: int | None = None
        while True:
            rows, left = fill(read, lambda found: [one for one in found if shown(one)], int, 5, after)
            found, after = cut(rows, left, int, 5)
            yield found
            if after is None:
                return

    reads: list[int] = []
    assert next(pages(lambda _: True)) == [0, 1, 2, 3, 4]
    assert reads == [6]
    sparse = list(pages(lambda one: one % 400 == 7))
    assert sparse == [[7, 407, 807, 1207, 1607]]
    assert list(pages(lambda one: one % 300 == 0)) == [[0, 300, 600, 900, 1200], [1500, 1800]]
    assert list(pages(lambda _: False)) == [[]]


def test_a_page_stops_after_so_many_reads_and_says_where_to_go_on() -> None:
    rows, left = fill(
        lambda after, limit: list(range((after or 0) + 1, (after or 0) + 1 + limit)),
        lambda _: [],
        int,
        5,
        None,
    )
    assert (rows, left) == ([], 6 + (TURNS - 1) * AT_ONCE)


def test_a_review_does_not_count_what_is_hidden() -> None:
    row = {"_id": "r", "entry_ids": ["a", "b"], "count": 30}
    assert without(row, {"a"}) == {"_id": "r", "entry_ids": ["b"], "count": 29}
    assert without(row, {"a", "b"}) is None
    assert without(row, set()) == row


class Answering:
    """What `sharing` says of conflicts, and how often it was asked."""

    def __init__(self, *cases: str) -> None:
        self.cases, self.asked = cases, list[GetExclusions]()

    def call(self, method: str, request: Any, *, reply: Any) -> Any:
        assert method == "exclusions"
        self.asked.append(request)
        found = tuple(one for one in request.case_ids if one in self.cases)
        return Exclusions(some=bool(self.cases), case_ids=found)


def reading(sharing: Answering) -> Reading:
    made = Reading()
    made.sharing = cast(Any, sharing)
    return made


def test_sharing_is_asked_once_about_whoever_is_under_no_conflict_however_many_cases() -> None:
    sharing = Answering()
    assert reading(sharing).shut_out(caller("u"), [f"case-{n}" for n in range(7000)]) == frozenset()
    assert len(sharing.asked) == 1
    assert reading(sharing).shut_out(caller("u"), []) == frozenset()
    assert len(sharing.asked) == 1
    under = Answering("case-6999", "case-1")
    assert reading(under).shut_out(caller("u"), [f"case-{n}" for n in range(7000)]) == {"case-1", "case-6999"}
    assert [len(one.case_ids) for one in under.asked] == [2000, 2000, 2000, 1000]


def test_a_system_is_asked_about_with_who_answers_for_it() -> None:
    sharing = Answering("case-1")
    system = caller("client-1").model_copy(update={"kind": "client", "accountable_id": "user-3"})
    reading(sharing).shut_out(system, ["case-1"])
    assert sharing.asked[0].user_ids == ("client-1", "user-3")
