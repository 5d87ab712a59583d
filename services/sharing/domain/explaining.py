"""Why somebody may do something with a case or may not: the steps of the rule, each with what it rests on.

Pure. The verdict is the access rule's own (`contracts.access.decide`), asked of the caller that this person
would be, behind what `sharing` asks of a caller before: its account, its agency, its signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.contracts.access import AccessList, decide, owns
from services.contracts.bars import About, for_use
from services.contracts.caller import Caller
from services.contracts.permissions.actions import ACTIONS
from services.contracts.sharing.explain import Cites, Explanation, StepView
from services.contracts.sharing.shares import Clause
from services.contracts.steps import Step, steps
from services.contracts.vocabulary import Template
from services.sharing.domain import barring
from services.sharing.domain.known import Known, Today, caller_of
from services.sharing.domain.ownership import Grant, Ownership, decoy
from services.sharing.domain.transfers import ways_in

_NO_CASE = decoy()
NOT_THERE = "not_there"
"""Of an account that was made later."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question with all that it hangs on, as it stood at one instant (`today.now`). `ownership` None: the
    case was not there. `about` None: what its use and marking ask of a reader is not known. `trained`:
    the uses that require training."""

    action: str
    known: Known
    ownership: Ownership | None
    about: About | None
    today: Today
    trained: tuple[Template, ...] = ()

    @property
    def list(self) -> AccessList:
        return (self.ownership or _NO_CASE).acl

    @property
    def caller(self) -> Caller:
        """What it was taught stands against it or not; where it is and what it holds nobody knows now."""
        caller = caller_of(self.known, self.today.on, self.today.now)
        procedure = self.today.on.current_procedure(self.today.now)
        barred = barring.of_training(self.trained, self.known.uses, procedure.cites if procedure else {})
        return caller.model_copy(update={"barred": barred})


def may_ask(caller: Caller, acl: AccessList, of_agency: str | None, *, concerned: bool) -> bool:
    """The owner; the partnership's DPO; an agency's, of anybody in its own cases and of its own people in
    those that concern it (`concerned`: they have, or had, to do with it). Nobody under conflict.

    Of any other case an agency's DPO is told what it is told of none: the id of a case is no way to learn of
    its use, its marking, or that there is one.
    """
    if caller.kind != "user" or caller.id in acl.excluded:
        return False
    if owns(caller, acl) or "partnership_dpo" in caller.roles:
        return True
    if "agency_dpo" not in caller.roles or not concerned:
        return False
    return caller.agency_id in (acl.owner.agency.id, of_agency)


def not_there(known: Known) -> Known:
    """Whoever it is, before it was."""
    return replace(
        known, account=NOT_THERE, procedure=NOT_THERE, signed=None, team_ids=(), roles=(), scopes=()
    )


def explain(asked: Asked) -> Explanation:
    permit, section = ACTIONS[asked.action]
    caller, acl = asked.caller, asked.list
    decided = decide(caller, acl, permit, section=section, about=asked.about)
    of_case = {one.name: one for one in steps(caller, acl, permit, section=section, about=asked.about)}
    agency = asked.today.on.refusal(asked.known.agency.id)
    protocol = of_case.pop("protocol_active")
    del of_case["place_and_device"]
    told = [
        _told("principal_active", asked.known.account is None, code=asked.known.account),
        _protocol(asked, protocol, None if agency is None else agency.code),
        _told(
            "procedure_signed",
            asked.known.procedure is None,
            procedure_version=asked.known.signed,
            code=asked.known.procedure,
        ),
        _training(asked, caller, of_case.pop("training_current")),
        _place(asked),
        _told("case_there", asked.ownership is not None),
        *(_granted(asked, step) for step in of_case.values()),
        _reason(asked),
    ]
    first = asked.known.account is None and asked.known.procedure is None and agency is None
    allowed = decided.allowed and first and asked.ownership is not None
    return Explanation(allowed=allowed, steps=tuple(told))


def _told(name: Any, holds: bool | None, **cites: Any) -> StepView:
    """What is cited is told only where there is something."""
    cited = {key: value for key, value in cites.items() if value not in (None, ())}
    return StepView(step=name, holds=holds, **({"cites": Cites(**cited)} if cited else {}))


def _protocol(asked: Asked, step: Step, refusal: str | None) -> StepView:
    """The agency's own standing and what the grants rest on. An owner's own access rests on no protocol."""
    grants = _grants(asked, step.share_ids)
    code = refusal if refusal is not None or step.holds or not grants else "protocol_not_active"
    return _told(
        "protocol_active",
        bool(step.holds) and refusal is None,
        code=code,
        protocols=_each_once(
            Clause(id=one.protocol_id, clause=one.clause or "") for one in grants if one.protocol_id
        ),
        legal_gateways=_each_once(one.legal_gateway for one in grants if one.legal_gateway),
    )


def _training(asked: Asked, caller: Caller, step: Step) -> StepView:
    about = asked.about
    bar = caller.barred.get(for_use(about.use)) if about else None
    barred = {} if bar is None else {"code": bar.code, "clause": bar.clause}
    return _told("training_current", step.holds, use=about and about.use, **barred)


def _place(asked: Asked) -> StepView:
    """Where somebody is and what it holds in its hand is not known before it asks. An agency without rules
    for it asks nothing."""
    ruled = bool(asked.today.on.places_of(asked.known.agency.id))
    return _told("place_and_device", None if ruled else True, marking=asked.about and asked.about.marking)


def _granted(asked: Asked, step: Step) -> StepView:
    code = "conflict_of_interest" if step.name == "no_conflict" and step.holds is False else None
    if step.name == "agencies_active" and step.holds is False:
        found = [asked.today.on.refusal(one) for one in (asked.list.owner.agency.id, asked.known.agency.id)]
        code = next((one.code for one in found if one is not None), None)
    return _told(step.name, step.holds, code=code, share_ids=step.share_ids)


def _reason(asked: Asked) -> StepView:
    """A person of another agency says why, once a session: that cannot be known of one who has not asked."""
    elsewhere = asked.known.kind == "user" and asked.known.agency.id != asked.list.owner.agency.id
    return _told("reason_given", None if elsewhere else True)


def _grants(asked: Asked, ids: Sequence[str]) -> list[Grant]:
    return [grant for grant in ways_in(asked.ownership or _NO_CASE) if grant.id in ids]


def _each_once(found: Any) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(found))
