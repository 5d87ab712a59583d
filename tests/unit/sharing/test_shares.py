"""What may be given and what may not: each rule of api.md, its code and the place it points at."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.contracts.errors import (
    AgencyNotActive,
    ConsentReasonRequired,
    ExpiryBeyondProtocol,
    GatewayNotForRecipient,
    Invalid,
    InvalidTransition,
    MemberNotInAgency,
    PurposeNotInProtocol,
    SectionNotForSide,
)
from services.contracts.paging import Ref
from services.contracts.parsing import parse
from services.contracts.sharing.shares import ShareBody, ShareChange
from services.sharing.domain.amending import amend, ends
from services.sharing.domain.ownership import Ending, Grant, PastGrant
from services.sharing.domain.regime import regime_of
from services.sharing.domain.showing import show, show_past, show_proposal
from services.sharing.domain.terms import check_terms, end_of, propose
from tests.unit.sharing.grants import (
    HOMES,
    LATER,
    NOW,
    OWNER,
    POLICE,
    PROTOCOL,
    body,
    facts,
    grant,
    known,
    own_team,
    ownership,
    today,
)

BY = Ref(id="u-owner", name="Olive Owner")


def refused(what: ShareBody, *, by: Any = None) -> Invalid:
    with pytest.raises(Invalid) as raised:
        check_terms(what, by or facts())
    return raised.value


def change(**changes: Any) -> ShareChange:
    return ShareChange.model_validate(changes)


def amended(before: Grant, *, by: Any = None, **changes: Any) -> Grant:
    return amend(before, change(**changes), by or facts())


# Giving


def test_a_good_share_is_granted_as_asked_for() -> None:
    asked = body(
        members=[
            {"user_id": "u-jo"},
            {"team_id": "t-wardens"},
            {"client_id": "c-homes"},
            {"user_id": "u-jo"},
        ],
        sections=["timeline", "summary", "timeline"],
        note="Please",
    )
    found = propose(asked, facts(), "s-9", BY)
    assert (found.user_ids, found.team_ids, found.client_ids) == (("u-jo",), ("t-wardens",), ("c-homes",))
    assert found.sections == ("summary", "timeline")
    assert (found.agency.name, found.clause, found.regime) == ("Homes", "Prevention of crime", "uk_gdpr")
    assert (found.granted_by, found.granted_at, found.note) == (BY, NOW, "Please")


@pytest.mark.parametrize(
    ("changed", "error", "pointer"),
    [
        ({"agency_id": "a-nowhere"}, AgencyNotActive, "/agency_id"),
        ({"agency_id": "a-operator"}, AgencyNotActive, "/agency_id"),
        ({"agency_id": "a-fire"}, AgencyNotActive, "/agency_id"),
        ({"purpose": "research"}, PurposeNotInProtocol, "/purpose"),
        ({"legal_gateway": "other"}, GatewayNotForRecipient, "/legal_gateway"),
        ({"agency_id": "a-charity"}, GatewayNotForRecipient, "/legal_gateway"),
        ({"members": [{"user_id": "u-x"}]}, MemberNotInAgency, "/members/0"),
        ({"members": [{"user_id": "u-jo"}, {"team_id": "u-jo"}]}, MemberNotInAgency, "/members/1"),
        ({"expires_at": datetime(2027, 1, 1, 0, 0, 1, tzinfo=UTC)}, ExpiryBeyondProtocol, "/expires_at"),
        ({"expires_at": NOW}, Invalid, "/expires_at"),
        ({"consent": {"state": "refused"}}, ConsentReasonRequired, "/consent/reason"),
        ({"consent": {"state": "not_sought"}}, ConsentReasonRequired, "/consent/reason"),
        ({"side": "perpetrator", "sections": ["safe_contact"]}, SectionNotForSide, "/sections"),
        ({"side": "perpetrator", "sections": ["summary", "victim"]}, SectionNotForSide, "/sections"),
        ({"sections": []}, Invalid, "/sections"),
    ],
)
def test_what_may_not_be_given(changed: dict[str, Any], error: type[Invalid], pointer: str) -> None:
    problem = refused(body(**changed))
    assert type(problem) is error
    assert problem.errors[0].pointer == pointer
    assert problem.errors[0].code == error.code


@pytest.mark.parametrize(
    "protocol",
    [
        None,
        replace(PROTOCOL, state="signed"),
        replace(PROTOCOL, state="ended"),
        replace(PROTOCOL, ends_on=date(2026, 11, 22)),
        replace(PROTOCOL, starts_on=date(2026, 11, 24)),
        replace(PROTOCOL, parties=("a-police", "a-charity")),
        replace(PROTOCOL, parties=("a-homes", "a-charity")),
    ],
)
def test_a_share_rests_on_a_protocol_in_force_between_the_two_agencies(protocol: Any) -> None:
    problem = refused(body(), by=facts(protocol=protocol, when=today()))
    assert type(problem) is PurposeNotInProtocol
    assert problem.errors[0].pointer == "/protocol_id"


@pytest.mark.parametrize("state", ["suspended", "withdrawn", "proposed", "signed", "expired"])
def test_nothing_is_given_to_an_agency_that_is_not_active(state: str) -> None:
    assert type(refused(body(), by=facts(when=today(homes=state)))) is AgencyNotActive


def test_every_wrong_field_is_told_and_the_first_gives_the_code() -> None:
    problem = refused(body(purpose="x", members=[{"user_id": "x"}], consent={"state": "refused"}))
    assert type(problem) is PurposeNotInProtocol
    assert [one.pointer for one in problem.errors] == ["/purpose", "/members/0", "/consent/reason"]


def test_a_share_may_last_as_long_as_the_protocols_last_day_in_london() -> None:
    summer = replace(PROTOCOL, ends_on=date(2027, 6, 30))
    assert end_of(PROTOCOL) == datetime(2027, 1, 1, tzinfo=UTC)
    assert end_of(summer) == datetime(2027, 6, 30, 23, tzinfo=UTC)
    check_terms(body(expires_at=end_of(PROTOCOL)), facts())
    assert type(refused(body(expires_at=end_of(PROTOCOL) + timedelta(seconds=1)))) is ExpiryBeyondProtocol


def test_below_read_no_section_is_needed() -> None:
    for level in ("know", "task"):
        check_terms(body(level=level, sections=[]), facts())


def test_consent_may_be_overridden_with_a_reason() -> None:
    check_terms(body(consent={"state": "refused", "reason": "Risk to life"}), facts())


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"members": []}, "/members"),
        ({"members": [{}]}, "/members/0"),
        ({"members": [{"user_id": "a", "team_id": "b"}]}, "/members/0"),
        ({"members": [{"user_id": {"$ne": None}}]}, "/members/0/user_id"),
        ({"level": "own"}, "/level"),
        ({"sections": ["everything"]}, "/sections/0"),
        ({"expires_at": "2026-12-01T00:00:00"}, "/expires_at"),
        ({"extra": 1}, "/extra"),
        ({"side": "both"}, "/side"),
    ],
)
def test_a_body_that_is_wrong_points_at_its_place(given: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as raised:
        parse(ShareBody, {**body().model_dump(mode="json", exclude_none=True), **given})
    assert pointer in [one.pointer for one in raised.value.errors]


# Changing


def test_a_narrowing_needs_no_protocol_in_force() -> None:
    ended = facts(protocol=None, when=today(homes="suspended"))
    for changes in ({"level": "know"}, {"sections": ["summary"]}, {"expires_at": LATER - timedelta(days=1)}):
        assert amended(grant(), by=ended, **changes).updated_at == NOW
    with pytest.raises(AgencyNotActive):
        amended(grant(), by=ended, level="contribute")


def test_a_widening_is_judged_as_a_new_share_is() -> None:
    with pytest.raises(ExpiryBeyondProtocol):
        amended(grant(), expires_at=end_of(PROTOCOL) + timedelta(days=1))
    with pytest.raises(PurposeNotInProtocol):
        amended(grant(), purpose="research")
    assert amended(grant(), sections=["risk", "summary"]).sections == ("summary", "risk")


def test_only_new_members_are_judged() -> None:
    left = grant(user_ids=("u-left",))
    both = amended(left, members=[{"user_id": "u-left"}, {"user_id": "u-jo"}])
    assert both.user_ids == ("u-left", "u-jo")
    with pytest.raises(MemberNotInAgency) as raised:
        amended(left, members=[{"user_id": "u-left"}, {"user_id": "u-x"}])
    assert raised.value.errors[0].pointer == "/members/1"


def test_what_is_not_named_stays_and_null_takes_note_and_side_away() -> None:
    before = grant(note="Please", side="victim")
    assert amended(before, level="know").note == "Please"
    after = amended(before, note=None, side=None)
    assert (after.note, after.side) == (None, None)
    with pytest.raises(Invalid):
        parse(ShareChange, {"level": None})


def test_the_victims_sections_are_kept_from_the_perpetrators_side_also_by_a_change() -> None:
    with pytest.raises(SectionNotForSide):
        amended(grant(sections=("victim",)), side="perpetrator")
    with pytest.raises(ConsentReasonRequired):
        amended(grant(), consent={"state": "refused"})


def test_a_share_that_ran_out_is_not_changed() -> None:
    with pytest.raises(InvalidTransition):
        amended(grant(expires_at=NOW), level="know")


def test_the_owners_own_team_has_no_protocol_to_change() -> None:
    assert amended(own_team(), level="manage", by=facts(protocol=None)).level == "manage"
    with pytest.raises(Invalid) as raised:
        amended(own_team(), purpose="x", expires_at=LATER)
    assert [one.pointer for one in raised.value.errors] == ["/expires_at", "/purpose"]


def test_a_change_either_ends_a_share_or_alters_it() -> None:
    assert ends(change(state="revoked", reason="other"))
    assert not ends(change(level="know"))
    for wrong, pointer in (
        ({"state": "revoked"}, "/reason"),
        ({"state": "revoked", "reason": "other", "level": "know"}, "/level"),
        ({"reason": "other"}, "/reason"),
        ({}, ""),
    ):
        with pytest.raises(Invalid) as raised:
            ends(change(**wrong))
        assert raised.value.errors[0].pointer == pointer


# The regime


@pytest.mark.parametrize(
    ("recipient", "purpose", "regime"),
    [
        ("police", "crime_prevention", "part3"),
        ("police", "Anti-social behaviour: ASB", "part3"),
        ("police", "offender_management", "part3"),
        ("police", "cda", "part3"),
        ("police", "safeguarding", "uk_gdpr"),
        ("probation", "iom", "part3"),
        ("community_rehabilitation_company", "reduce_offending", "part3"),
        ("housing_association", "crime_prevention", "uk_gdpr"),
        ("local_authority", "crime_prevention", "uk_gdpr"),
        ("police", None, "part3"),
        ("vcse", None, "uk_gdpr"),
    ],
)
def test_the_regime_is_the_recipients(recipient: Any, purpose: str | None, regime: str) -> None:
    assert regime_of(recipient, purpose) == regime


# Showing

KNOWN = {
    "u:u-jo": known(),
    "t:t-asb": known("team", "t-asb", POLICE),
}


def test_a_share_is_shown_with_its_members_names() -> None:
    shown = show(ownership(grant()), grant(), KNOWN, today(), to_owner=True).model_dump(
        mode="json", exclude_unset=True
    )
    assert shown["members"] == [{"user_id": "u-jo"}]
    assert shown["who"] == [{"kind": "user", "id": "u-jo", "name": "U-Jo", "available": True}]
    assert (shown["state"], shown["agency"]) == ("active", {"id": "a-homes", "name": "Homes"})
    assert not {"note", "side", "revoked", "disclosed"} & shown.keys()


def test_the_own_teams_share_has_nothing_where_others_have_a_protocol() -> None:
    shown = show(ownership(own_team()), own_team(), KNOWN, today(), to_owner=True).model_dump(
        exclude_unset=True
    )
    assert all(
        shown[name] is None for name in ("purpose", "protocol_id", "legal_gateway", "consent", "expires_at")
    )


def test_the_etag_changes_exactly_with_what_is_seen() -> None:
    def etag(one: Grant, to_owner: bool = True, when: Any = None, names: Any = KNOWN) -> str | None:
        return show(ownership(one), one, names, when or today(), to_owner=to_owner).etag

    assert etag(grant()) == etag(grant())
    assert etag(grant()) != etag(grant(level="know"))
    assert etag(grant()) != etag(grant(), when=today(homes="suspended"))
    assert etag(grant()) != etag(grant(), names={"u:u-jo": known(name="Renamed")})
    reasoned = {"state": "refused", "reason": "One"}, {"state": "refused", "reason": "Two"}
    owners = [etag(grant(consent=one)) for one in reasoned]
    recipients = [etag(grant(consent=one), to_owner=False) for one in reasoned]
    assert owners[0] != owners[1]
    assert recipients[0] == recipients[1]


def test_a_member_that_is_not_known_any_more_has_no_name() -> None:
    shown = show_proposal(grant(user_ids=("u-gone",)), KNOWN)
    assert (shown.who[0].name, shown.who[0].because) == ("", "unknown")


def test_a_past_share_says_how_it_ended_and_to_its_recipient_not_who_else_was_in_it() -> None:
    ending = Ending(at=NOW, by=Ref(id="u-jo", name="Jo"), agency=HOMES, reason="other")
    past = PastGrant(case_id="k-1", grant=grant(), ending=ending, ended_at=NOW)
    owners, recipients = show_past(past, KNOWN), show_past(past, {}, to_owner=False)
    assert owners.state == recipients.state == "revoked"
    assert owners.revoked is not None
    assert (owners.revoked.by.name, len(owners.members)) == ("Jo", 1)
    assert (recipients.members, recipients.who) == ((), ())
    ran_out = show_past(PastGrant(case_id="k-1", grant=grant(), ended_at=LATER), KNOWN)
    assert (ran_out.state, ran_out.revoked) == ("expired", None)
    assert OWNER.user == owners.granted_by
