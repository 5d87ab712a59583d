"""An agency from which everything is taken that one needs beside a share: its own state, its protocol; its
person's account, role and device; its system. Each is given back afterwards.

The person, and the system for which that person answers, are named in shares of every case for good.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from deploy.demo.api import Api
from deploy.demo.partnership import protocol
from tests.checks.acts import operator
from tests.checks.ground import Ground
from tests.checks.revocation.seats import Seat, person, system
from tests.checks.revocation.turning import good, patch
from tests.checks.wire import Answer, Line

LANDLORD = "Coast and Country Housing"
YEAR = timedelta(days=365)
PLACES = [{"marking": "official_sensitive", "device_classes": ["managed"]}]
"""Whoever has no managed device may know of the cases, and no more."""
LOOPBACK = ["127.0.0.1/32"]
"""A system that names its networks counts as managed."""


@dataclass
class Residence:
    """`administrator` and `operator` are held by the one thread that changes things here."""

    on: Ground
    agency_id: str
    protocol_id: str
    administrator: Line
    operator: Line
    seat: Seat
    machine: Seat
    secret: str
    device_id: str = ""

    @property
    def user_id(self) -> str:
        return self.seat.guest.member["user_id"]

    @property
    def keys(self) -> tuple[str, str]:
        """Of the person, and of the system that is nothing without that person."""
        return self.seat.guest.key, self.machine.guest.key

    def log_in(self) -> None:
        """All of them, anew: their sessions ended when the agency was shut out. Raises Refusal and
        PyMongoError."""
        self._forgive()
        self.administrator.hold(str(self.on.sign_in(LANDLORD, "agency_admin").token))
        self.log_in_person()
        self.log_in_machine()

    def log_in_person(self) -> None:
        self._forgive()
        token = str(self.on.sign_in(LANDLORD, "practitioner").token)
        self.seat.guest = replace(self.seat.guest, token=token)

    def _forgive(self) -> None:
        """A log-in that a killed process never answered counts as failed, and here there are many."""
        with operator(self.on.cell) as client:
            client["sharing"]["failures"].delete_many({})

    def log_in_machine(self) -> None:
        self.machine.guest = system(self.on.url, self.machine.guest.member["client_id"], self.secret)

    def replace_machine(self, made: dict[str, Any]) -> None:
        """By another system, of which the API has told id and secret."""
        self.machine.guest = system(self.on.url, made["id"], made["client_secret"])
        self.secret = made["client_secret"]

    def new_client(self) -> dict[str, Any]:
        """Another system, with its secret. Raises LookupError: it could not be made, or nobody knows."""
        answer = self.administrator.ask("POST", "/clients", client_body(self.agency_id, self.user_id))
        if not good(answer):
            raise LookupError("no system was made")
        found: dict[str, Any] = answer.json()
        return found

    def new_device(self) -> Answer:
        """Registered and enrolled: the person holds it. Returns the enrolment's answer, or the refusal before
        it: of one request, not of all, as its seconds are judged."""
        body = {"name": f"Tablet {uuid.uuid4().hex[:6]}", "class": "managed", "user_id": self.user_id}
        made = self.administrator.ask("POST", "/devices", body)
        if not good(made):
            return made
        device = made.json()
        line = Line(self.on.url, self.seat.guest.token)
        enrolled = line.ask("POST", "/devices/enrolments", {"code": device["enrolment_code"]})
        line.close()
        if good(enrolled):
            self.device_id = device["id"]
            cookie = enrolled.headers["set-cookie"].partition(";")[0]
            self.seat.guest = replace(self.seat.guest, device=cookie)
        else:
            # One can have only so many.
            patch(self.administrator, f"/devices/{device['id']}", {"state": "revoked"})
        return enrolled


def client_body(agency_id: str, accountable_id: str) -> dict[str, Any]:
    return {
        "agency_id": agency_id,
        "name": f"Housing system {uuid.uuid4().hex[:6]}",
        "accountable_user_id": accountable_id,
        "scopes": ["cases:read", "subscriptions"],
        "networks": LOOPBACK,
        "expires_at": later(YEAR / 2),
    }


def later(span: timedelta) -> str:
    return (datetime.now(UTC) + span).replace(microsecond=0).isoformat()


def move_in(on: Ground, police_id: str) -> Residence:
    """With a protocol of its own, a rule for places, a device and a system."""
    operator = on.cast.sign_in(next(one for one in on.cast.users if "system_operator" in one["roles"]))
    administrator, api = on.sign_in(LANDLORD, "agency_admin"), on.sign_in(LANDLORD, "practitioner")
    me = api.get("/me")
    agency_id, guest = me["agency"]["id"], person(api, me)
    administrator.patch(f"/agencies/{agency_id}", {"places": PLACES})
    made = administrator.post("/clients", client_body(agency_id, me["user"]["id"]))
    residence = Residence(
        on,
        agency_id,
        _protocol(operator, [police_id, agency_id]),
        Line(on.url, str(administrator.token)),
        Line(on.url, str(operator.token)),
        Seat(guest),
        Seat(system(on.url, made["id"], made["client_secret"])),
        made["client_secret"],
    )
    if not good(residence.new_device()):
        raise LookupError("the device could not be enrolled")
    return residence


def _protocol(operator: Api, parties: list[str]) -> str:
    """In force, and of these two alone: it can end, and both still take part."""
    today = datetime.now(UTC).date()
    body = protocol("Protocol that comes and goes", parties, today - YEAR, today + YEAR)
    made = operator.post("/protocols", body)
    for to in ("signed", "active"):
        signatory = {"name": "Signing Officer", "agency_id": parties[0]}
        move = {"to": to, "reason": "comes into force", "signatory": signatory}
        operator.post(f"/protocols/{made['id']}/transitions", move)
    return str(made["id"])
