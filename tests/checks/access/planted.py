"""Faults put into the product's rule, one at a time: what a comparison is worth that finds none of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from services.contracts import access
from services.contracts.access import Share
from services.contracts.caller import Caller
from services.sharing.domain import standing as standings


def _late(share: Share, caller: Caller) -> bool:
    return share.expires_at is None or share.expires_at >= caller.now


def _any_member(share: Share, caller: Caller) -> bool:
    if caller.kind == "client":
        return caller.id in share.client_ids
    return caller.id in share.user_ids or bool(share.team_ids)


def _without_conflicts(real: Callable[..., Any]) -> Callable[..., Any]:
    return lambda caller, acl: real(caller, acl.model_copy(update={"excluded": ()}))


def _first_share_alone(real: Callable[..., Any]) -> Callable[..., Any]:
    return lambda shares: real(shares[:1])


def _ends_before(real: Callable[..., Any]) -> Callable[..., Any]:
    return lambda state, ends_on, today: "expired" if state == "active" and ends_on <= today else state


def _yes(*_: Any) -> bool:
    return True


FAULTS: Mapping[str, tuple[Any, str, Any]] = {
    "a share runs on at the instant of its end": (access, "in_date", _late),
    "the agency's key is ignored": (access, "of_agency", _yes),
    "the individual's key is ignored": (access, "names", _yes),
    "a team of anybody's will do": (access, "names", _any_member),
    "a protocol need not be in force": (access, "under_protocol", _yes),
    "agencies need not be active": (access, "agencies_active", _yes),
    "whoever once owned it owns it": (access, "owns", lambda caller, acl: caller.id == acl.owner.user.id),
    "the perpetrator's side is ignored": (access, "NEVER_PERPETRATOR", frozenset()),
    "conflicts are ignored": (access, "standing_of", _without_conflicts(access.standing_of)),
    "bars are ignored": (access, "bar_on", lambda barred, about: None),
    "roles and scopes are ignored": (access, "has_role", _yes),
    "of several shares one counts": (access, "standing_by", _first_share_alone(access.standing_by)),
    "task is as good as read": (access, "_RANK", {**access._RANK, "task": access._RANK["read"]}),
    "a protocol ends a day early": (standings, "state_on", _ends_before(standings.state_on)),
}


@contextmanager
def planted(name: str) -> Iterator[None]:
    where, what, fault = FAULTS[name]
    with patch.object(where, what, fault):
        yield
