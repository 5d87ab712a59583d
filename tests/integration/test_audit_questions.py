"""Questions asked of the log read little more than they answer, also where two broad conditions meet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from services.audit.domain.lookups import alternatives, search
from services.audit.domain.sight import Sight
from services.audit.stores import finding
from services.audit.stores.entries import EntryStore
from services.audit.stores.writer import STEPS, LogWriter
from services.chassis.migrations import migrate
from services.chassis.mongo import connect
from services.contracts.audit import ListEntries
from services.contracts.records import Actor, Object, Record
from tests.cell import Parts
from tests.unit.audit.logs import NOW, record, signer, wrapping

COUNT, PAGE = 4000, 26


def made(number: int) -> Record:
    """Two agencies share much, a third little; few entries are refusals or of a rare action."""
    agency = ("police", "nhs", "police", "nhs", "fire")[number % 5]
    owner = "police" if number % 3 else "nhs"
    case = Object(type="case", id=f"case-{number % 40}", agency_id=owner, sections=("subjects",))
    return record(
        number,
        actor=Actor(kind="user", id=f"{agency}-{number % 25}", agency_id=agency),
        action=("case.read", "case.list", "entry.read")[number % 7 % 3],
        objects=(case, Object(type="subject", id=f"subject-{number % 30}", agency_id=owner)),
        outcome="refused" if number % 11 == 0 else "shown",
    )


@pytest.fixture(scope="module")
def database(parts: Parts) -> Iterator[Any]:
    with connect(parts.mongo_url("operator"), app="test") as client:
        found = client["log_questions"]
        migrate(found, STEPS, holder="test")
        writer = LogWriter(found, wrapping)
        for begin in range(0, COUNT, 500):
            writer.append([made(number) for number in range(begin, begin + 500)], signer(), again=False)
        yield found
        client.drop_database("log_questions_log")
        client.drop_database("log_questions")


OFFICER, TEAM = Sight("dpo", agency="police"), Sight("sue", team=frozenset({"police-5", "police-10"}))


@pytest.mark.parametrize(
    ("asked", "sight"),
    [
        ({"case_id": "case-7"}, Sight("x", everything=True)),
        ({"case_id": "case-7", "since": NOW + timedelta(seconds=2000)}, Sight("x", everything=True)),
        ({"case_id": "case-7", "action": "case.read"}, Sight("x", everything=True)),
        ({"case_id": "case-5", "actor_id": "police-20"}, Sight("x", everything=True)),
        ({"case_id": "case-7", "agency_id": "nhs", "outcome": "shown"}, Sight("x", everything=True)),
        ({"subject_id": "subject-7"}, Sight("x", everything=True)),
        ({"subject_id": "subject-7", "agency_id": "nhs"}, Sight("x", everything=True)),
        ({"actor_id": "nhs-1"}, Sight("x", everything=True)),
        ({"actor_id": "nhs-1", "action": "case.list"}, Sight("x", everything=True)),
        ({"action": "entry.read"}, Sight("x", everything=True)),
        ({"outcome": "refused", "action": "entry.read"}, Sight("x", everything=True)),
        ({"agency_id": "nhs"}, OFFICER),
        ({"agency_id": "fire"}, OFFICER),
        ({"agency_id": "fire", "action": "case.read"}, OFFICER),
        ({"actor_id": "nhs-3"}, OFFICER),
        ({}, TEAM),
        ({"action": "case.list"}, TEAM),
        ({"actor_id": "police-5"}, TEAM),
        ({"actor_id": "nhs-1"}, TEAM),
        ({"case_id": "case-5"}, TEAM),
        ({"case_id": "case-7"}, TEAM),
        ({"case_id": "case-7", "action": "case.read"}, Sight("nobody")),
    ],
)
def test_a_first_page_examines_at_most_three_times_what_it_returns(
    database: Any, asked: dict[str, Any], sight: Sight
) -> None:
    wanted = search(ListEntries(**asked), sight.words)
    examined = returned = 0
    for one in alternatives(wanted):
        command = {
            "find": "entries",
            "filter": finding.filter_of(one, None),
            "sort": dict(finding.NEWEST),
            "limit": PAGE,
            "hint": "found" if one.each else "time",
        }
        told = database.command("explain", command, verbosity="executionStats")["executionStats"]
        examined, returned = examined + told["totalDocsExamined"], returned + told["nReturned"]
    assert examined <= 3 * max(1, returned)
    shown = EntryStore(database, wrapping).newest(wanted, COUNT, None)
    expected = [number for number in range(COUNT) if _fits(made(number), asked) and sight.sees(made(number))]
    assert sorted(one.index for one in shown) == expected


def _fits(one: Record, asked: dict[str, Any]) -> bool:
    case, subject = one.objects
    return (
        asked.get("case_id", case.id) == case.id
        and asked.get("subject_id", subject.id) == subject.id
        and asked.get("actor_id", one.actor.id) == one.actor.id
        and asked.get("agency_id", one.actor.agency_id) == one.actor.agency_id
        and asked.get("action", one.action) == one.action
        and asked.get("outcome", one.outcome) == one.outcome
        and asked.get("since", one.at) <= one.at
    )
