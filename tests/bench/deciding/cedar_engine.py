"""Cedar, in Rust, through cedarpy: one policy for each share. Policies, people and teams are parsed once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from cedarpy import Diagnostics, Entities, PolicySet, is_authorized

from services.contracts.access import AccessList, Share
from services.contracts.caller import Caller
from tests.bench.deciding.asked import RANK, Question, World

ACTIVE = """
forbid (principal, action, resource) when {
    context.shut_agencies.contains(principal.agency) || context.shut_agencies.contains(resource.agency)
};
"""
OWNER = """
@id("owner") permit (principal == User::"%s", action, resource == Case::"%s")
when { principal.agency == Agency::"%s" };
"""
SHARE = """
@id("%s") permit (principal, action, resource == Case::"%s") when {
    principal.agency == Agency::"%s" && principal in [%s] && context.rank <= %d && context.now < %d
    && !context.shut_protocols.contains("%s")
};
"""


class Cedar:
    name = "cedarpy"

    def __init__(self, world: World) -> None:
        self._acl = world.acl
        self._policies = PolicySet.from_str("".join(_policies(world.acl)))
        self._entities = Entities.from_json_str(json.dumps(list(_entities(world))))

    def prepare(self, question: Question) -> dict[str, Any]:
        who = question.caller
        return {
            "principal": {"type": "User", "id": who.id},
            "action": {"type": "Action", "id": "act"},
            "resource": {"type": "Case", "id": self._acl.case_id},
            "context": {
                "rank": RANK[question.least],
                "now": _microseconds(who.now),
                "shut_agencies": [_entity("Agency", one) for one in who.inactive_agencies],
                "shut_protocols": list(who.inactive_protocols),
            },
        }

    def decide(self, prepared: dict[str, Any]) -> tuple[bool, Diagnostics]:
        result = is_authorized(prepared, self._policies, self._entities)
        return result.allowed, result.diagnostics

    def shares_behind(self, reason: Diagnostics) -> set[str]:
        assert not reason.errors, reason.errors
        return set(reason.id_annotations_by_reason.values())


def _policies(acl: AccessList) -> Iterator[str]:
    yield ACTIVE
    yield OWNER % (acl.owner.user.id, acl.case_id, acl.owner.agency.id)
    for share in acl.shares:
        yield _policy(acl.case_id, share)


def _policy(case_id: str, share: Share) -> str:
    assert share.expires_at is not None
    named = [*(f'User::"{one}"' for one in share.user_ids), *(f'Team::"{one}"' for one in share.team_ids)]
    ends = _microseconds(share.expires_at)
    rank = RANK[share.level]
    return SHARE % (share.id, case_id, share.agency_id, ", ".join(named), rank, ends, share.protocol_id)


def _entities(world: World) -> Iterator[dict[str, Any]]:
    callers: tuple[Caller, ...] = world.callers
    for team in sorted({team for caller in callers for team in caller.team_ids}):
        yield {"uid": {"type": "Team", "id": team}, "attrs": {}, "parents": []}
    for caller in callers:
        yield {
            "uid": {"type": "User", "id": caller.id},
            "attrs": {"agency": _entity("Agency", caller.agency_id)},
            "parents": [{"type": "Team", "id": team} for team in caller.team_ids],
        }
    agency = _entity("Agency", world.acl.owner.agency.id)
    yield {"uid": {"type": "Case", "id": world.acl.case_id}, "attrs": {"agency": agency}, "parents": []}


def _entity(kind: str, name: str) -> dict[str, Any]:
    return {"__entity": {"type": kind, "id": name}}


def _microseconds(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000)
