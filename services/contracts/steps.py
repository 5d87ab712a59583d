"""The access decision taken apart: every step of it, whether it holds, by the same questions as `decide`.

    steps(caller, acl, permit, section=..., about=...) -> the steps, in the order of `domain.md`, section 3

All of them are evaluated. `decide` allows exactly when every one of them holds (a property test says so).
What concerns the caller alone (its account, its signature) is not among them: `sharing` puts it before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from .access import (
    AccessList,
    Share,
    agencies_active,
    has_role,
    in_date,
    names,
    of_agency,
    owns,
    standing_by,
    standing_of,
    under_protocol,
)
from .bars import About, for_marking, for_use
from .caller import Caller
from .permissions.permit import Permit
from .vocabulary import Section

StepName = Literal[
    "principal_active",
    "protocol_active",
    "procedure_signed",
    "training_current",
    "place_and_device",
    "case_there",
    "no_conflict",
    "agencies_active",
    "agency_granted",
    "individual_granted",
    "role_held",
    "level_reached",
    "grant_in_date",
    "reason_given",
]


@dataclass(frozen=True, slots=True)
class Step:
    """`holds` None: it cannot be said, and stands against nobody. `share_ids`: the grants it was asked of."""

    name: StepName
    holds: bool | None
    share_ids: tuple[str, ...] = ()


_OF_A_GRANT: tuple[tuple[StepName, Callable[[Share, Caller], bool]], ...] = (
    ("agency_granted", of_agency),
    ("individual_granted", names),
    ("grant_in_date", in_date),
    ("protocol_active", under_protocol),
)


def steps(
    caller: Caller,
    acl: AccessList,
    permit: Permit,
    *,
    section: Section | None = None,
    about: About | None = None,
) -> tuple[Step, ...]:
    """Of a user or a client: a service has no access at all."""
    granted, closest = _granted(caller, acl)
    least = permit.level or "know"
    standing = standing_of(caller, acl) or (standing_by(list(closest)) if closest else None)
    reached = standing is not None and standing.reaches(least, section)
    ids = tuple(share.id for share in closest)
    return (
        granted["protocol_active"],
        Step("training_current", _unbarred(caller, for_use(about.use) if about else None)),
        Step("place_and_device", _unbarred(caller, for_marking(about.marking) if about else None)),
        Step("no_conflict", not acl.excludes(caller.id, caller.accountable_id)),
        Step("agencies_active", agencies_active(caller, acl)),
        granted["agency_granted"],
        granted["individual_granted"],
        Step("role_held", has_role(caller, permit)),
        Step("level_reached", owns(caller, acl) or reached, ids),
        granted["grant_in_date"],
    )


def _granted(caller: Caller, acl: AccessList) -> tuple[dict[StepName, Step], tuple[Share, ...]]:
    """The steps that are asked of grants, and the grants that came closest: in force, if all of them hold.

    Each question is asked of those for which all before held; where it holds for none of them the step does
    not, and the next is asked of the same ones: so each says what is wrong with the grant that nearly fits.
    """
    found: dict[StepName, Step] = {}
    if owns(caller, acl):
        return {name: Step(name, True) for name, _ in _OF_A_GRANT}, ()
    closest = acl.shares
    for name, question in _OF_A_GRANT:
        passed = tuple(share for share in closest if question(share, caller))
        if not passed and name == "agency_granted":
            # What is given to other agencies does not come close, unless it names the caller.
            closest = tuple(share for share in closest if names(share, caller))
        closest = passed or closest
        found[name] = Step(name, bool(passed), tuple(share.id for share in closest))
    return found, closest


def _unbarred(caller: Caller, key: str | None) -> bool | None:
    return None if key is None else key not in caller.barred
