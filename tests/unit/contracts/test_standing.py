"""How somebody stands to a case by an offer of it, and what of a standing is kept when an act is refused."""

from __future__ import annotations

from datetime import timedelta

from services.contracts.access import Standing, decide
from services.contracts.errors import RoleRequired
from services.contracts.permissions import Permit
from services.contracts.steps import steps
from tests.unit.contracts.test_access import LATER, NOW, WORKERS, acl, caller, permit, share, standing, told

OFFER = share(id="f-1", kind="offer", level="know", sections=("summary",), protocol_id=None, expires_at=LATER)


def test_whom_a_case_is_offered_to_knows_of_it_and_of_no_share() -> None:
    assert standing(caller(), OFFER) == Standing("share", "know", (("summary", "know"),), LATER, None)
    assert told(caller(), permit("know"), OFFER) == "ok"
    assert told(caller(), permit("read"), OFFER) == "level_too_low"


def test_a_share_of_the_same_level_is_named_before_an_offer() -> None:
    known = share(level="know")
    for shares in ((OFFER, known), (known, OFFER)):
        found = standing(caller(), *shares)
        assert (found.via, found.share_id) == ("share", "s-1")


def test_an_offer_takes_nothing_from_what_one_has() -> None:
    soon = share(expires_at=NOW + timedelta(days=1))
    found = standing(caller(), OFFER, soon)
    assert (found.level, found.share_id, found.until) == ("read", "s-1", LATER)
    assert found.sections == ("summary", "timeline")


def test_who_lacks_the_role_keeps_its_standing() -> None:
    decision = decide(caller(roles=("governance_member",)), acl(share()), permit())
    assert isinstance(decision.refusal, RoleRequired)
    assert decision.standing == standing(caller(), share())


def test_a_method_that_names_no_level_asks_that_the_case_be_known() -> None:
    asks = Permit(roles=WORKERS)
    assert told(caller(), asks, share(level="know")) == "ok"
    assert told(caller(), asks, share(level="know"), section="summary") == "ok"
    assert told(caller(), asks, share(level="know"), section="risk") == "level_too_low"
    assert told(caller(), asks) == "not_found"


def test_the_steps_of_a_method_that_names_no_level_are_those_of_knowing() -> None:
    asks, known = Permit(roles=WORKERS), share(level="know")
    told_by_steps = {step.name: step.holds for step in steps(caller(), acl(known), asks)}
    assert told_by_steps["level_reached"] is True
    grants = {step.share_ids for step in steps(caller(), acl(known), asks) if step.share_ids}
    assert grants == {("s-1",)}
