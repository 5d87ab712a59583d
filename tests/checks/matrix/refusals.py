"""Ten thousand refusals: whoever may not know of a case is told of it what is told of none.

Each request goes out twice, about a hidden case and about one that never was, by somebody who may not know of
it: the answers have to be the same, and must not hold a word that can only be said of a case.
"""

from __future__ import annotations

import json
import random
import uuid
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from services.contracts import errors
from tests.checks.matrix.hidden import Outsider
from tests.checks.matrix.oracle import GLASS
from tests.checks.matrix.situations import EXPLAIN, Request, request
from tests.checks.matrix.world import World
from tests.checks.wire import Answer, Line

HANDS = 6
MADE_EACH_TIME = frozenset({"x-request-id", "date", "consultation", "inclusion-by", "traceparent"})
OF_A_CASE = frozenset(
    one.code
    for one in (
        errors.RoleRequired,
        errors.NotOwner,
        errors.LevelTooLow,
        errors.ReasonRequired,
        errors.TrainingRequired,
        errors.NetworkNotPermitted,
        errors.DeviceNotPermitted,
        errors.StepUpRequired,
        errors.OwnGlass,
        errors.InvalidTransition,
        errors.CaseClosed,
        errors.AlreadyExists,
        errors.OwnerHasConflict,
        errors.Stale,
        errors.AgencyNotActive,
        errors.PurposeNotInProtocol,
        errors.GatewayNotForRecipient,
        errors.MemberNotInAgency,
        errors.CannotBeNamed,
        errors.ExpiryBeyondProtocol,
        errors.ConsentReasonRequired,
        errors.SectionNotForSide,
        errors.AssigneeWithoutAccess,
    )
)
"""Codes that are only said once a case was found that the caller may know of."""
ANYWAY = {GLASS: {"reason_required"}, EXPLAIN: {"role_required"}}
"""These are asked before anything is looked up, whatever the id."""
WEAK = {"stale"}
"""Said at once of a weak tag in If-Match: it never matches (RFC 9110, 13.1.1)."""


@dataclass
class Told:
    """How many pairs were asked, how many of them were refusals, and what told something."""

    pairs: int = 0
    refusals: int = 0
    lines: list[str] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)


def ask(
    world: World, players: Sequence[Outsider], wanted: int, seed: int, *, until_told: bool = False
) -> Told:
    """So many pairs, by several at once. `until_told`: no more than it takes to see something."""
    told, each = Told(), -(-wanted // HANDS)

    def hand(number: int) -> None:
        chance, lines = random.Random(f"{seed}/{number}"), dict[str, Line]()
        for _ in range(each):
            if until_told and told.lines:
                break
            player = chance.choice(players)
            line = lines.setdefault(player.token, Line(world.on.url, player.token))
            _pair(world, player, line, chance, told)
        for line in lines.values():
            line.close()

    with ThreadPoolExecutor(HANDS) as pool:
        list(pool.map(hand, range(HANDS)))
    return told


def _pair(world: World, player: Outsider, line: Line, chance: random.Random, told: Told) -> None:
    hidden = chance.choice(player.cases)
    asked = request(chance, world, hidden.ids)
    case_ids = [hidden.ids["case_id"], str(uuid.uuid4())]
    answers = {}
    for case_id in chance.sample(case_ids, 2):
        path, content = asked.about(case_id)
        answers[case_id] = line.send(asked.method, path, content, asked.headers)
    unseen, missing = (answers[case_id] for case_id in case_ids)
    told.pairs += 1
    told.refusals += unseen.status >= 400
    told.statuses[f"{unseen.status}"] += 1
    who = f"{player.name}: {asked.method} {asked.shape}"
    told.lines += [f"{who}: {what}" for what in tells(asked, unseen, missing)]


def tells(asked: Request, unseen: Answer, missing: Answer) -> list[str]:
    """What somebody could learn from these two answers."""
    found = []
    if looks(unseen) != looks(missing):
        found.append(f"{_said(unseen)} where {_said(missing)} is said of what never was")
    if not 400 <= unseen.status < 500:
        found.append(f"answered with {unseen.status}")
    codes = OF_A_CASE - ANYWAY.get((asked.method, asked.shape), set())
    if asked.headers.get("If-Match", "").startswith("W/"):
        codes -= WEAK
    found += [f"says {code}" for code in sorted(codes) if f'"{code}"'.encode() in unseen.body]
    return found


def looks(answer: Answer) -> tuple[Any, ...]:
    """All of an answer that does not differ from one to the next anyway."""
    headers = {name: value for name, value in answer.headers.items() if name not in MADE_EACH_TIME}
    body = json.loads(answer.body) if answer.body else {}
    body.pop("request_id", None)
    return answer.status, sorted(headers.items()), body


def _said(answer: Answer) -> str:
    code = json.loads(answer.body).get("code", "") if answer.body else ""
    return f"{answer.status} {code}".strip()
