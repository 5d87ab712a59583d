"""Who can take a case over, cell by cell, and what is told of who cannot."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from services.contracts.errors import AgencyNotActive, GatewayNotForRecipient, Invalid, PurposeNotInProtocol
from services.contracts.paging import Ref
from services.sharing.domain.known import Known
from services.sharing.domain.ownership import Conflict, Ownership
from services.sharing.domain.transfers import check_taker, fit, on_perpetrators_side, taken_over
from tests.unit.sharing.grants import (
    HOMES,
    NOW,
    OWNER,
    POLICE,
    PROTOCOL,
    grant,
    known,
    own_team,
    ownership,
    today,
)
from tests.unit.sharing.test_transfers import offer, taking

CHARITY = Ref(id="a-charity", name="Charity")
WARDENS = Ref(id="t-wardens", name="Wardens")
APART = replace(PROTOCOL, parties=("a-police", "a-charity"))


def refused(
    who: Known | None, before: Ownership | None = None, *, protocols: Any = (PROTOCOL,), **states: str
) -> Invalid:
    with pytest.raises(Invalid) as found:
        check_taker(who, before or ownership(own_team()), protocols, today(**states))
    return found.value


@pytest.mark.parametrize(
    ("who", "before", "how", "kind", "code"),
    [
        (None, None, {}, Invalid, "not_available"),
        (known("client", "c-homes"), None, {}, Invalid, "not_available"),
        (known(roles=("agency_admin",)), None, {}, Invalid, "not_available"),
        (known(id="u-owner", agency=POLICE), None, {}, Invalid, "already_owner"),
        (known(), ownership(grant(side="perpetrator")), {}, Invalid, "perpetrators_side"),
        (known(), None, {"homes": "suspended"}, AgencyNotActive, "agency_not_active"),
        (known(), None, {"protocols": (APART,)}, PurposeNotInProtocol, "purpose_not_in_protocol"),
        (known(agency=CHARITY), None, {}, GatewayNotForRecipient, "gateway_not_for_recipient"),
    ],
)
def test_each_refusal_points_to_the_person_and_says_in_a_sentence_why(
    who: Known | None, before: Ownership | None, how: Any, kind: type[Invalid], code: str
) -> None:
    problem = refused(who, before, **how)
    assert type(problem) is kind
    ((pointer, told, detail),) = [(one.pointer, one.code, one.detail) for one in problem.errors]
    assert (pointer, told) == ("/to_user_id", code)
    assert re.fullmatch(r"(This|The|No) [a-z' ]+\.", detail)


def test_an_appointing_administrator_cannot_tell_by_what_a_case_bars_somebody() -> None:
    """On the perpetrator's side, under conflict, both, or no caseworker: one answer, word for word."""
    jo = known(id="u-jo")
    under = Conflict(
        id="x-1",
        user=Ref(id="u-jo", name="Jo"),
        agency=HOMES,
        kind="neighbour",
        reason="-",
        declared_by=OWNER.user,
        declared_at=NOW,
    )
    side = grant(side="perpetrator")
    told = set()
    for who, before in (
        (jo, ownership(side)),
        (jo, ownership(conflicts=(under,))),
        (jo, ownership(side, conflicts=(under,))),
        (known(roles=("agency_admin",)), ownership()),
        (None, ownership()),
    ):
        with pytest.raises(Invalid) as found:
            check_taker(who, before, (PROTOCOL,), today(), appointing=True)
        told.add((type(found.value), found.value.errors))
    assert len(told) == 1
    assert check_taker(jo, ownership(grant()), (PROTOCOL,), today(), appointing=True) is not None


def test_a_team_on_the_perpetrators_side_is_that_of_its_own_agency() -> None:
    against = grant(side="perpetrator", user_ids=(), team_ids=("t-wardens",))
    assert on_perpetrators_side(known(team_ids=("t-wardens",)), ownership(against))
    assert not on_perpetrators_side(known(team_ids=("t-wardens",), agency=CHARITY), ownership(against))
    assert not on_perpetrators_side(known(team_ids=("t-other",)), ownership(against))
    assert not on_perpetrators_side(known(), ownership(grant(side="victim")))
    assert not on_perpetrators_side(known(), ownership(grant(side=None)))


def test_who_is_on_the_perpetrators_side_is_not_fit() -> None:
    assert fit(known(), ownership(grant()))
    assert not fit(known(), ownership(grant(side="perpetrator")))


def test_a_protocol_of_the_two_agencies_alone_is_enough() -> None:
    two = replace(PROTOCOL, parties=("a-police", "a-homes"))
    ground = check_taker(known(), ownership(own_team()), [two], today())
    assert ground is not None
    assert (ground.protocol_id, ground.clause) == ("p-1", "Prevention of crime")


def test_another_teams_share_is_not_that_of_the_new_owner_team() -> None:
    wardens = grant(id="s-2", user_ids=(), team_ids=("t-wardens",))
    after = taken_over(ownership(wardens), taking(offer(), team=WARDENS), today()).after
    assert [(one.id, one.kind) for one in after.grants] == [("s-2", "share"), ("s-new", "team")]


def test_a_team_that_has_its_share_gets_no_second_one() -> None:
    asb = Ref(id="t-asb", name="ASB")
    one = offer(to=Ref(id="u-lee", name="Lee"), agency=POLICE)
    after = taken_over(ownership(own_team()), taking(one, team=asb, by=None), today()).after
    assert [grant.id for grant in after.grants] == ["s-t"]
    other = Ref(id="t-beat", name="Beat")
    after = taken_over(ownership(own_team()), taking(one, team=other, by=None), today()).after
    assert [(grant.id, grant.team_ids) for grant in after.grants] == [
        ("s-t", ("t-asb",)),
        ("s-new", ("t-beat",)),
    ]


def test_the_new_teams_share_has_the_regime_of_its_agency() -> None:
    one = offer(to=Ref(id="u-lee", name="Lee"), agency=POLICE)
    (share,) = taken_over(ownership(), taking(one, team=WARDENS), today()).after.grants
    assert (share.regime, share.agency, share.granted_at) == (own_team().regime, POLICE, NOW)
    (share,) = taken_over(ownership(), taking(offer(), team=WARDENS), today()).after.grants
    assert (share.regime, share.agency) == ("uk_gdpr", HOMES)
    assert OWNER.user != share.granted_by
