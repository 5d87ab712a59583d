"""pycasbin: one line of policy for each person or team that a share names; teams are its roles (`g`).

`FastEnforcer` keeps the lines by agency and case, and looks at no others: the fastest that there is.
Its matcher is an expression that pycasbin interprets for each line.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import casbin
from casbin.model import FastModel, fast_policy_filter

from services.contracts.caller import Caller
from tests.bench.deciding.asked import RANK, Question, World

MODEL = """
[request_definition]
r = agency, case, who, rank, now, shut_agencies, shut_protocols

[policy_definition]
p = agency, case, who, rank, until, protocol, owners, share

[role_definition]
g = _, _

[policy_effect]
e = some(where (p.eft == allow))

[matchers]
m = r.agency == p.agency && r.case == p.case && (r.who == p.who || g(r.who, p.who)) && p.rank >= r.rank && \
p.until > r.now && !(p.protocol in r.shut_protocols) && \
!(p.owners in r.shut_agencies) && !(r.agency in r.shut_agencies)
"""
FOR_EVER = "9999"

Asked = tuple[str, str, str, str, str, tuple[str, ...], tuple[str, ...]]


class Casbin:
    name = "pycasbin"

    def __init__(self, world: World) -> None:
        self._case_id = world.acl.case_id
        # else it puts every refusal into words for the log
        logging.getLogger("casbin").setLevel(logging.ERROR)
        model = FastModel([0, 1])
        model.load_model_from_text(MODEL)
        self._casbin = casbin.FastEnforcer(model, cache_key_order=[0, 1])
        self._casbin.add_policies([list(line) for line in _lines(world)])
        self._casbin.add_grouping_policies([list(one) for one in _members(world.callers)])
        self._policy = self._casbin.model.model["p"]["p"].policy

    def prepare(self, question: Question) -> Asked:
        who = question.caller
        return (
            who.agency_id,
            self._case_id,
            who.id,
            str(RANK[question.least]),
            who.now.isoformat(),
            who.inactive_agencies,
            who.inactive_protocols,
        )

    def decide(self, prepared: Asked) -> tuple[bool, list[str]]:
        with fast_policy_filter(self._policy, *prepared[:2]):  # as `enforce` does, which gives no reason
            return self._casbin.enforce_ex(*prepared)

    def shares_behind(self, reason: list[str]) -> set[str]:
        return {reason[-1]}


def _lines(world: World) -> Iterator[tuple[str, ...]]:
    owner, case = world.acl.owner, world.acl.case_id
    yield owner.agency.id, case, owner.user.id, str(RANK["own"]), FOR_EVER, "", owner.agency.id, "owner"
    for share in world.acl.shares:
        assert share.expires_at is not None
        for named in (*share.user_ids, *share.team_ids):
            yield (
                share.agency_id,
                case,
                named,
                str(RANK[share.level]),
                share.expires_at.isoformat(),
                share.protocol_id or "",
                owner.agency.id,
                share.id,
            )


def _members(callers: tuple[Caller, ...]) -> Iterator[tuple[str, str]]:
    for caller in callers:
        for team in caller.team_ids:
            yield caller.id, team
