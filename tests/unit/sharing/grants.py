"""What the tests of grants are made from: two agencies, a protocol, people."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from services.contracts.access import Owner
from services.contracts.paging import Ref
from services.contracts.sharing.protocols import Contact, LegalGateway, Purpose
from services.contracts.sharing.shares import Consent, ShareBody
from services.sharing.domain.known import Known, Today
from services.sharing.domain.ownership import Grant, Ownership
from services.sharing.domain.procedures import Published
from services.sharing.domain.protocols import Protocol
from services.sharing.domain.standing import AgencyStanding, ProtocolStanding, Standing
from services.sharing.domain.terms import Facts

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
TODAY = date(2026, 11, 23)
LATER = NOW + timedelta(days=20)
POLICE, HOMES = Ref(id="a-police", name="Police"), Ref(id="a-homes", name="Homes")
OWNER = Owner(user=Ref(id="u-owner", name="Olive Owner"), agency=POLICE, team=Ref(id="t-asb", name="ASB"))
GATEWAY = LegalGateway(code="cda_s115", name="s115", recipient_types=("police", "housing_association"))
CONTACT = Contact(name="Somebody", email="somebody@example.test")
PROTOCOL = Protocol(
    id="p-1",
    title="Safer together",
    state="active",
    parties=("a-police", "a-homes", "a-charity"),
    purposes=(Purpose(code="crime_prevention", name="Prevention of crime", legal_gateways=(GATEWAY,)),),
    data_categories=(),
    starts_on=date(2026, 1, 1),
    ends_on=date(2026, 12, 31),
    review_on=date(2026, 12, 1),
    spoc=CONTACT,
    dpo=CONTACT,
    document_sha256=None,
    signatories=(),
    version=1,
    created_at=NOW,
    updated_at=NOW,
)


def today(protocol: Protocol = PROTOCOL, now: datetime = NOW, on: date = TODAY, **states: Any) -> Today:
    """Everything in force; `states` are agencies' (`homes="suspended"`)."""
    agencies = {
        f"a-{name}": AgencyStanding(name.title(), kind, states.get(name, "active"))
        for name, kind in (
            ("police", "police"),
            ("homes", "housing_association"),
            ("charity", "vcse"),
            ("fire", "fire_and_rescue"),
            ("operator", "operator"),
        )
    }
    protocols = {
        protocol.id: ProtocolStanding(protocol.state, protocol.parties, protocol.starts_on, protocol.ends_on)
    }
    procedures = (Published(1, "0" * 64, NOW - timedelta(days=9), NOW - timedelta(days=8)),)
    return Today(Standing(1, 1, agencies, protocols, procedures).on(on), now)


def facts(*members: str, protocol: Protocol | None = PROTOCOL, when: Today | None = None) -> Facts:
    """`members` are keys of people of Homes who can be named; by default u-jo, t-wardens, c-homes."""
    when = when or today()
    named = members or ("u:u-jo", "t:t-wardens", "c:c-homes")
    return Facts(OWNER, when.on, protocol, dict.fromkeys(named, "a-homes"), when.now)


def body(**changed: Any) -> ShareBody:
    return ShareBody.model_validate(
        {
            "agency_id": "a-homes",
            "members": [{"user_id": "u-jo"}],
            "level": "read",
            "sections": ["summary", "timeline"],
            "purpose": "crime_prevention",
            "protocol_id": "p-1",
            "legal_gateway": "cda_s115",
            "consent": {"state": "given"},
            "expires_at": LATER,
            **changed,
        }
    )


def grant(**changed: Any) -> Grant:
    return Grant.model_validate(
        {
            "id": "s-1",
            "kind": "share",
            "agency": HOMES,
            "user_ids": ("u-jo",),
            "level": "read",
            "sections": ("summary", "timeline"),
            "protocol_id": "p-1",
            "purpose": "crime_prevention",
            "clause": "Prevention of crime",
            "legal_gateway": "cda_s115",
            "consent": Consent(state="given"),
            "expires_at": LATER,
            "regime": "uk_gdpr",
            "granted_by": OWNER.user,
            "granted_at": NOW,
            "updated_at": NOW,
            **changed,
        }
    )


def own_team(**changed: Any) -> Grant:
    return grant(
        **{
            "id": "s-t",
            "kind": "team",
            "agency": POLICE,
            "user_ids": (),
            "team_ids": ("t-asb",),
            "level": "contribute",
            "protocol_id": None,
            "purpose": None,
            "clause": None,
            "legal_gateway": None,
            "consent": None,
            "expires_at": None,
            "regime": "part3",
            **changed,
        }
    )


def ownership(*grants: Grant, **changed: Any) -> Ownership:
    return Ownership.model_validate(
        {
            "case_id": "k-1",
            "term": 1,
            "epoch": 4,
            "events": 2,
            "owner": OWNER,
            "grants": grants,
            "registered_at": NOW,
            **changed,
        }
    )


def known(kind: Any = "user", id: str = "u-jo", agency: Ref = HOMES, **changed: Any) -> Known:
    """A practitioner of Homes whom nothing holds up."""
    return Known(
        **{
            "kind": kind,
            "id": id,
            "name": id.title(),
            "agency": agency,
            "because": None,
            "roles": ("practitioner",) if kind == "user" else (),
            "scopes": ("cases:read",) if kind == "client" else (),
            "signed": None if kind == "team" else 1,
            **changed,
        }
    )
