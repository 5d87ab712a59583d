"""People, agencies and standings as the tests of sharing need them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from services.sharing.domain.clients import Client
from services.sharing.domain.people import Appointment, User
from services.sharing.domain.procedures import Published, Signature
from services.sharing.domain.sign_ins import Provider
from services.sharing.domain.standing import AgencyStanding, ProtocolStanding, Standing

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
TODAY = NOW.date()
DAY = timedelta(days=1)
POLICE, HOUSING, OPERATOR = "police-1", "housing-1", "operator-1"


def provider(**more: Any) -> Provider:
    """By which the police sign their people in."""
    given: dict[str, Any] = {
        "agency_id": POLICE,
        "alias": "police",
        "issuer": "https://id.police.example",
        "client_id": "concordat",
        "secret": b"sealed",
        "kid": "k",
        "claim": "email",
        "second_factors": (),
        "version": 1,
        "updated_at": NOW,
    }
    return Provider(**{**given, **more})


def user(**more: Any) -> User:
    """An officer who is ready for work."""
    given: dict[str, Any] = {
        "id": "user-1",
        "username": "fiona",
        "name": "Fiona Officer",
        "email": "fiona@police.example",
        "agency_id": POLICE,
        "job_title": None,
        "team_ids": ("team-1",),
        "roles": (Appointment("practitioner"),),
        "state": "active",
        "signature": Signature(1, "a" * 64, NOW - DAY),
        "has_password": True,
        "has_totp": True,
        "must_change": False,
        "version": 1,
        "created_at": NOW - 10 * DAY,
        "updated_at": NOW - 10 * DAY,
    }
    return User(**{**given, **more})


def client(**more: Any) -> Client:
    given: dict[str, Any] = {
        "id": "client-1",
        "agency_id": POLICE,
        "name": "Records",
        "accountable_user_id": "user-1",
        "scopes": ("cases:read",),
        "networks": (),
        "expires_at": NOW + DAY,
        "state": "active",
        "version": 1,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Client(**{**given, **more})


def protocol(*parties: str, state: Any = "active", ends_on: date = TODAY, starts_on: date = TODAY) -> Any:
    return ProtocolStanding(state, parties, starts_on, ends_on)


def published(version: int = 1, effective: timedelta = -DAY, due: timedelta = DAY) -> Published:
    return Published(version, "a" * 64, NOW + effective, NOW + due)


def standing(
    *, police: Any = "active", protocols: Any = None, procedures: Any = None, operator: Any = "active"
) -> Standing:
    """Police and the operator; the police are party to one protocol that ends today."""
    return Standing(
        version=1,
        term=1,
        agencies={
            POLICE: AgencyStanding("Cleveland Police", "police", police),
            OPERATOR: AgencyStanding("Operator", "operator", operator),
        },
        protocols={"protocol-1": protocol(POLICE)} if protocols is None else protocols,
        procedures=(published(),) if procedures is None else procedures,
    )
