"""What every engine is asked: one case with some shares, and who wants to do what with it.

The rule is the two keys (R34) and what makes them hold: somebody is let in if its agency and the owner's are
active, a share is of its agency AND names it or a team of it, the share's level reaches, its date has not
passed, and what it rests on is in force. The owner is let in to everything. What only ours knows besides
(conflicts, sections, sides, training, places, roles) is asked of ours too, for it is part of `decide`, and
stands in nobody's way.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Protocol

from services.contracts.access import AccessList, Owner, Share
from services.contracts.caller import Caller
from services.contracts.paging import Ref
from services.contracts.permissions import Permit
from services.contracts.permissions.permit import CASEWORKERS, Least
from services.contracts.vocabulary import LEVELS, SECTIONS

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
ASKED: tuple[Least, ...] = (*LEVELS, "own")
RANK: dict[Least, int] = {level: rank for rank, level in enumerate(ASKED)}
PERMITS: dict[Least, Permit] = {level: Permit(roles=CASEWORKERS, level=level) for level in ASKED}
AGENCIES = 8
PROTOCOLS = 5


@dataclass(frozen=True, slots=True)
class Question:
    """May this caller do what asks for at least this level?"""

    caller: Caller
    least: Least


@dataclass(frozen=True, slots=True)
class World:
    """One case and its questions. `callers` are all the principals that there are."""

    acl: AccessList
    callers: tuple[Caller, ...]
    questions: tuple[Question, ...]


class Engine(Protocol):
    """One who decides. What can be made ready before anybody asks is: by the constructor, by `prepare`."""

    name: str

    def prepare(self, question: Question) -> Any:
        """The question as this engine takes it; off the clock."""

    def decide(self, prepared: Any) -> tuple[bool, Any]:
        """Whether, and the reason as the engine says it. This is what is timed."""

    def shares_behind(self, reason: Any) -> set[str]:
        """The ids of the shares that the reason for letting somebody in names, "owner" for the owner."""


def world(dice: Random, shares: int, questions: int = 200) -> World:
    """Some twice as many people as shares, in eight agencies; some of them are in no share."""
    people = {f"u-{number}": f"a-{number % AGENCIES}" for number in range(2 * (shares + AGENCIES))}
    teams = [f"t-{number}" for number in range(3 * AGENCIES)]
    shut_agencies = tuple(f"a-{number}" for number in range(AGENCIES) if dice.random() < 0.1)
    shut_protocols = tuple(f"p-{number}" for number in range(PROTOCOLS) if dice.random() < 0.2)
    owner = Owner(user=Ref(id="u-0", name="Owner"), agency=Ref(id="a-0", name="Police"))
    acl = AccessList(
        case_id="k-1",
        term=1,
        epoch=1,
        owner=owner,
        shares=tuple(_share(dice, number, people, teams) for number in range(shares)),
    )
    callers = tuple(
        _caller(dice, one, agency, teams, shut_agencies, shut_protocols) for one, agency in people.items()
    )
    asked = tuple(Question(dice.choice(callers), dice.choice(ASKED)) for _ in range(questions))
    return World(acl, callers, asked)


def crowded(dice: Random, shares: int) -> World:
    """The dearest question of all: every share names who asks, and is in force."""
    made = world(dice, shares, questions=0)
    who = made.callers[1].model_copy(update={"inactive_agencies": (), "inactive_protocols": ()})
    update = {"agency_id": who.agency_id, "user_ids": (who.id,), "expires_at": NOW + timedelta(days=1)}
    acl = made.acl.model_copy(
        update={"shares": tuple(share.model_copy(update=update) for share in made.acl.shares)}
    )
    return World(acl, (who,), tuple(Question(who, level) for level in ASKED))


def _share(dice: Random, number: int, people: dict[str, str], teams: list[str]) -> Share:
    """Of one agency; now and then it names somebody or a team of another one, who get nothing by it."""
    agency = f"a-{dice.randrange(AGENCIES)}"
    there = [one for one, of in people.items() if of == agency] if dice.random() < 0.9 else list(people)
    return Share(
        id=f"s-{number}",
        agency_id=agency,
        user_ids=tuple(dice.sample(there, 2)),
        team_ids=(dice.choice(teams),) if dice.random() < 0.4 else (),
        level=dice.choice(LEVELS),
        sections=SECTIONS[:4],
        protocol_id=f"p-{dice.randrange(PROTOCOLS)}",
        expires_at=NOW + timedelta(days=dice.choice((-1, 0, 30, 30, 30, 30))),
    )


def _caller(
    dice: Random,
    who: str,
    agency: str,
    teams: list[str],
    shut_agencies: tuple[str, ...],
    shut_protocols: tuple[str, ...],
) -> Caller:
    return Caller(
        kind="user",
        id=who,
        agency_id=agency,
        team_ids=tuple(dice.sample(teams, dice.choice((0, 1, 2)))),
        roles=("practitioner",),
        device_class="managed",
        inactive_agencies=shut_agencies,
        inactive_protocols=shut_protocols,
        audience="cases",
        method="get_case",
        args_hash="0" * 64,
        request_id="r-1",
        now=NOW,
        expires_at=NOW + timedelta(seconds=5),
    )
