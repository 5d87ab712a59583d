"""Giving a case to another owner: to whom it may go, what the addressee knows, what becomes of the shares."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from services.contracts.access import Owner, standing_of
from services.contracts.errors import (
    AgencyNotActive,
    GatewayNotForRecipient,
    Invalid,
    InvalidTransition,
    PurposeNotInProtocol,
)
from services.contracts.paging import Ref
from services.contracts.sharing.shares import Consent, ShareChange
from services.sharing.domain.amending import amend
from services.sharing.domain.audience import item, ways
from services.sharing.domain.comparing import state_of
from services.sharing.domain.explaining import Asked, explain
from services.sharing.domain.known import Known, caller_of
from services.sharing.domain.offers import Ground, Offer
from services.sharing.domain.ownership import Conflict, Grant, Ownership
from services.sharing.domain.showing import show
from services.sharing.domain.transfers import (
    OWNER_CHANGED,
    Taking,
    cannot_act,
    check_taker,
    ended,
    offered,
    successor,
    taken_over,
)
from tests.unit.sharing.grants import (
    HOMES,
    LATER,
    NOW,
    OWNER,
    POLICE,
    PROTOCOL,
    facts,
    grant,
    known,
    own_team,
    ownership,
    today,
)

JO, LEE = Ref(id="u-jo", name="Jo"), Ref(id="u-lee", name="Lee")
FIRE = Ref(id="a-fire", name="Fire")
DUE = NOW + timedelta(days=14)


def offer(to: Ref = JO, agency: Ref = HOMES, **changed: Any) -> Offer:
    ground = Ground(
        protocol_id="p-1", purpose="crime_prevention", clause="Prevention", legal_gateway="cda_s115"
    )
    return Offer.model_validate(
        {
            "id": "o-1",
            "way": "offer",
            "owner": OWNER,
            "to": to,
            "agency": agency,
            "reason": "The family moved",
            "by": OWNER.user,
            "at": NOW,
            "lapses_at": DUE,
            "ground": ground if agency != POLICE else None,
            **changed,
        }
    )


def taking(one: Offer, **changed: Any) -> Taking:
    given: dict[str, Any] = {
        "offer": one,
        "by": one.to,
        "reason": None,
        "team": None,
        "parties": {"p-1": PROTOCOL.parties},
        "confirm_by": DUE,
        "share_id": "s-new",
        "now": NOW,
    }
    return Taking(**{**given, **changed})


def over(before: Ownership, one: Offer, **changed: Any) -> tuple[Ownership, Any]:
    change = taken_over(before, taking(one, **changed), today())
    return change.after, change


# --- to whom it may go ---


def check(who: Known | None, before: Ownership | None = None, **changed: Any) -> Ground | None:
    protocols = changed.pop("protocols", [PROTOCOL])
    return check_taker(who, before or ownership(own_team()), protocols, changed.pop("when", today()))


def test_within_the_agency_nothing_but_the_person_is_looked_at() -> None:
    assert check(known(id="u-lee", agency=POLICE), protocols=[]) is None


def test_to_another_agency_it_rests_on_a_gateway_of_a_protocol_in_force_that_runs_to_it() -> None:
    found = check(known())
    assert found is not None
    assert (found.protocol_id, found.purpose, found.legal_gateway) == ("p-1", "crime_prevention", "cda_s115")


def test_of_several_protocols_the_one_that_lasts_longest_carries_it() -> None:
    longer = replace(PROTOCOL, id="p-2", ends_on=date(2027, 6, 1))
    found = check(known(), protocols=[PROTOCOL, longer])
    assert found is not None
    assert found.protocol_id == "p-2"


@pytest.mark.parametrize(
    ("who", "code"),
    [
        (None, "not_available"),
        (known("team", "t-wardens"), "not_available"),
        (known(because="account_disabled", account="account_disabled"), "not_available"),
        (known(roles=("agency_admin",)), "not_available"),
        (known(roles=("light_participant",)), "not_available"),
        (known(id="u-owner", agency=POLICE), "already_owner"),
    ],
)
def test_whoever_could_not_work_on_it_cannot_take_it(who: Known | None, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        check(who)
    assert [(one.pointer, one.code) for one in refused.value.errors] == [("/to_user_id", code)]


def test_one_who_has_the_procedure_still_to_sign_can_be_asked() -> None:
    assert check(known(because="procedure_unsigned")) is not None


def test_no_gateway_no_protocol_no_active_agency_no_transfer() -> None:
    with pytest.raises(GatewayNotForRecipient):
        check(known(agency=Ref(id="a-charity", name="Charity")))
    with pytest.raises(PurposeNotInProtocol):
        check(known(), protocols=[replace(PROTOCOL, parties=("a-police", "a-charity"))])
    with pytest.raises(PurposeNotInProtocol):
        check(known(), protocols=[replace(PROTOCOL, ends_on=date(2026, 11, 22))])
    with pytest.raises(AgencyNotActive):
        check(known(), when=today(homes="suspended"))
    with pytest.raises(AgencyNotActive):
        check(known(agency=Ref(id="a-operator", name="Operator")))


def test_who_is_under_conflict_is_like_one_who_is_not_there() -> None:
    conflict = Conflict(
        id="x-1", user=JO, agency=HOMES, kind="neighbour", reason="-", declared_by=OWNER.user, declared_at=NOW
    )
    told = []
    for who, before in ((known(), ownership(conflicts=(conflict,))), (None, ownership())):
        with pytest.raises(Invalid) as refused:
            check(who, before)
        told.append((type(refused.value), refused.value.errors))
    assert told[0] == told[1]


def test_nobody_on_the_perpetrators_side_becomes_the_owner_by_name_or_by_team() -> None:
    for named in ({"user_ids": ("u-jo",)}, {"user_ids": (), "team_ids": ("t-wardens",)}):
        with pytest.raises(Invalid) as refused:
            check(known(team_ids=("t-wardens",)), ownership(grant(side="perpetrator", **named)))
        assert refused.value.errors[0].code == "perpetrators_side"


# --- what the addressee knows ---


def sees(who: Known, of: Ownership, **changed: Any) -> str | None:
    when = today(**changed)
    standing = standing_of(caller_of(who, when.on, when.now), of.acl)
    return None if standing is None else str(standing.level)


def test_to_whom_a_case_is_offered_knows_of_it_and_no_more_until_the_offer_lapses() -> None:
    before = ownership(own_team())
    change = offered(before, offer())
    assert (change.after.epoch, change.after.events, change.narrowing) == (5, 3, False)
    assert change.agencies == {"a-police", "a-homes"}
    assert sees(known(), before) is None
    assert sees(known(), change.after) == "know"
    assert sees(known(id="u-other"), change.after) is None
    assert sees(known(agency=FIRE), change.after) is None
    assert sees(known(), change.after, now=DUE) is None
    (share,) = (one for one in change.after.acl.shares if one.id == "o-1")
    assert share.sections == ()


def test_it_ends_with_the_protocol_that_it_rests_on() -> None:
    after = offered(ownership(), offer()).after
    assert sees(known(), after, protocol=replace(PROTOCOL, ends_on=date(2026, 11, 22))) is None


def test_the_owner_is_shown_who_knows_of_the_case_by_an_offer() -> None:
    after = offered(ownership(), offer()).after
    jo, owner = known(), known(id="u-owner", agency=POLICE)
    found = ways(after, {one.key: one for one in (jo, owner)}, ())
    shown = [item(way, after, today()) for way in found]
    assert [(one.who.id, one.via, one.level, one.now) for one in shown] == [
        ("u-owner", "owner", "manage", "open"),
        ("u-jo", "share", "know", "open"),
    ]
    assert shown[1].share_id is None


def test_asked_why_the_addressee_may_know_of_it_the_protocol_behind_the_offer_is_cited() -> None:
    told = explain(Asked("know", known(), offered(ownership(), offer()).after, None, today()))
    (step,) = (one for one in told.steps if one.step == "protocol_active")
    assert told.allowed
    assert step.cites is not None
    assert step.cites.protocols is not None
    assert [one.id for one in step.cites.protocols] == ["p-1"]
    read = explain(Asked("read", known(), offered(ownership(), offer()).after, None, today()))
    assert not read.allowed


def test_an_offer_that_comes_to_nothing_is_kept_with_who_when_why_and_shows_nothing_any_more() -> None:
    before = offered(ownership(own_team()), offer()).after
    change = ended(before, "declined", JO, "Too far away", NOW)
    assert change.after.transfer is None
    assert change.narrowing
    assert sees(known(), change.after) is None
    decided = change.decided
    assert decided is not None
    assert (decided.state, decided.by, decided.reason, decided.offer.id) == (
        "declined",
        JO,
        "Too far away",
        "o-1",
    )


def test_a_new_offer_takes_the_place_of_one_that_lapsed_which_is_kept() -> None:
    before = offered(ownership(), offer(to=LEE, id="o-0")).after
    change = offered(before, offer())
    assert change.narrowing
    assert change.decided is not None
    assert (change.decided.state, change.decided.offer.id) == ("lapsed", "o-0")
    assert sees(known(id="u-lee"), change.after) is None


# --- what is taken over ---


def test_the_former_owner_and_its_team_lose_everything_and_the_new_one_has_it() -> None:
    before = offered(ownership(own_team(), grant()), offer()).after
    after, change = over(before, offer())
    assert (after.owner.user, after.owner.agency, after.owner.team) == (JO, HOMES, None)
    assert (after.epoch, after.events, after.transfer, change.narrowing) == (6, 4, None, True)
    assert change.agencies == {"a-police", "a-homes"}
    assert sees(known(), after) == "own"
    assert sees(known(id="u-owner", agency=POLICE), after) is None
    assert sees(known(id="u-colin", agency=POLICE, team_ids=("t-asb",)), after) is None
    assert [(one.grant.id, one.ending.reason) for one in change.past] == [("s-t", OWNER_CHANGED)]
    assert change.decided.state == "accepted"


def test_the_new_owners_team_gets_the_case_only_if_it_is_named() -> None:
    team = Ref(id="t-wardens", name="Wardens")
    after, _ = over(ownership(own_team()), offer(), team=team)
    (share,) = after.grants
    assert (share.kind, share.agency, share.team_ids, share.level) == (
        "team",
        HOMES,
        ("t-wardens",),
        "contribute",
    )
    assert share.regime == "uk_gdpr"
    assert after.owner.team == team


def test_shares_of_other_agencies_stay_while_the_new_owners_agency_is_party_to_what_they_rest_on() -> None:
    charity = grant(id="s-2", agency=Ref(id="a-charity", name="Charity"), user_ids=("u-kim",))
    other = grant(id="s-3", agency=FIRE, user_ids=("u-fay",), protocol_id="p-2")
    before = ownership(charity, other)
    after, change = over(before, offer(), parties={"p-1": PROTOCOL.parties, "p-2": ("a-police", "a-fire")})
    assert [one.id for one in after.grants] == ["s-2"]
    assert [one.grant.id for one in change.past] == ["s-3"]
    assert change.agencies == {"a-police", "a-homes", "a-charity", "a-fire"}


def test_within_the_agency_shares_stay_but_none_goes_on_naming_the_former_owner() -> None:
    alone = grant(id="s-2", agency=POLICE, user_ids=("u-owner",))
    both = grant(id="s-3", agency=POLICE, user_ids=("u-owner", "u-max"))
    after, change = over(ownership(grant(), alone, both), offer(to=LEE, agency=POLICE))
    assert [(one.id, one.user_ids) for one in after.grants] == [("s-1", ("u-jo",)), ("s-3", ("u-max",))]
    assert [one.grant.id for one in change.past] == ["s-2"]
    assert sees(known(id="u-owner", agency=POLICE), after) is None


# --- consent is confirmed anew ---


def taken_by_lee(*grants: Grant) -> Ownership:
    return over(ownership(*grants), offer(to=LEE, agency=POLICE))[0]


def test_what_rests_on_consent_is_suspended_from_the_day_by_which_it_is_to_be_confirmed() -> None:
    after = taken_by_lee(grant())
    (share,) = after.grants
    assert share.confirm_by == DUE
    assert sees(known(), after) == "read"
    assert sees(known(), after, now=DUE - timedelta(seconds=1)) == "read"
    assert sees(known(), after, now=DUE) is None
    on = today().on
    states = [
        state_of(share, after.owner, when, inactive_agencies=(), inactive_protocols=on.inactive_protocols)
        for when in (NOW, DUE, LATER)
    ]
    assert states == ["active", "suspended", "expired"]


def test_the_owner_is_told_by_when_and_why_it_is_blocked_after_that() -> None:
    after, jo = taken_by_lee(grant()), known()
    shown = show(after, after.grants[0], {jo.key: jo}, today(), to_owner=True)
    assert shown.consent is not None
    assert shown.consent.confirm_by == DUE
    late = today(now=DUE)
    (way,) = ways(after, {jo.key: jo}, ())
    assert item(way, after, late).blocked_by == "consent_unconfirmed"


def test_what_was_shared_without_consent_needs_none() -> None:
    told = Consent(state="refused", reason="Risk to life")
    assert taken_by_lee(grant(consent=told), own_team()).grants[0].confirm_by is None


def test_to_confirm_it_restores_the_share_and_is_judged_like_a_new_one() -> None:
    (share,) = taken_by_lee(grant()).grants
    late = facts(when=today(now=DUE + timedelta(days=1)))
    change = ShareChange(consent=Consent(state="given"))
    after = amend(share, change, late)
    assert after.confirm_by is None
    assert after.share().expires_at == LATER
    other = replace(PROTOCOL, parties=("a-police", "a-charity"))
    with pytest.raises(PurposeNotInProtocol):
        amend(share, change, facts(protocol=other, when=today(now=DUE)))


def test_another_change_of_the_share_confirms_nothing() -> None:
    (share,) = taken_by_lee(grant()).grants
    assert amend(share, ShareChange(note="-"), facts()).confirm_by == DUE


def test_a_second_transfer_leaves_no_more_time_than_the_first() -> None:
    after = taken_by_lee(grant())
    again = over(after, offer(agency=POLICE, owner=after.owner), confirm_by=DUE + timedelta(days=9))[0]
    assert again.grants[0].confirm_by == DUE


def test_what_ran_out_is_left_as_it_was() -> None:
    gone = grant(expires_at=NOW - timedelta(days=1))
    assert taken_by_lee(gone).grants == (gone,)
    with pytest.raises(InvalidTransition):
        amend(gone, ShareChange(consent=Consent(state="given")), facts())


# --- owners who cannot act ---


def test_an_owner_cannot_act_when_disabled_or_without_a_caseworkers_role() -> None:
    assert cannot_act(known(because="account_disabled", account="account_disabled"))
    assert cannot_act(known(roles=("agency_admin",)))
    assert not cannot_act(known())
    assert not cannot_act(known(because="procedure_unsigned"))
    assert not cannot_act(known(because="not_activated", account="not_activated"))
    assert not cannot_act(None)


def test_while_the_agency_is_not_in_force_nothing_is_decided_for_its_owners() -> None:
    assert not cannot_act(known(because="agency_suspended", account="account_disabled"))
    assert not cannot_act(known(because="protocol_expired", roles=()))


def test_the_deputy_comes_first_then_a_supervisor_of_the_owner_team_then_nobody() -> None:
    case = ownership(own_team())
    deputy = known(id="u-dee", agency=POLICE)
    chief = known(id="u-sue", agency=POLICE, roles=("supervisor",))
    member = known(id="u-abe", agency=POLICE)
    assert successor(case, deputy, [chief]) == (deputy, "deputy")
    assert successor(case, None, [member, chief]) == (chief, "supervisor")
    gone = replace(deputy, because="account_disabled")
    assert successor(case, gone, [chief]) == (chief, "supervisor")
    assert successor(case, replace(deputy, agency=HOMES), []) is None
    assert successor(case, gone, [member]) is None


def test_neither_is_given_a_case_that_does_not_exist_to_them() -> None:
    deputy = known(id="u-dee", agency=POLICE)
    conflict = Conflict(
        id="x-1",
        user=Ref(id="u-dee", name="Dee"),
        agency=POLICE,
        kind="household",
        reason="-",
        declared_by=OWNER.user,
        declared_at=NOW,
    )
    assert (
        successor(ownership(conflicts=(conflict,)), deputy, [replace(deputy, roles=("supervisor",))]) is None
    )


def test_handed_over_without_being_asked_the_owner_team_keeps_the_case() -> None:
    team = Owner.model_validate(OWNER.model_dump()).team
    before = ownership(own_team(), grant(), ownerless_since=NOW)
    after, change = over(before, offer(to=LEE, agency=POLICE, way="deputy", by=None), by=None, team=team)
    assert [one.id for one in after.grants] == ["s-t", "s-1"]
    assert (after.owner.user, after.owner.team, after.ownerless_since) == (LEE, team, None)
    assert (change.decided.by, change.decided.offer.way, change.past) == (None, "deputy", ())
