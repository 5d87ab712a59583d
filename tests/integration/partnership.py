"""A small partnership put into sharing's database, whose people ask as the gateway would have them ask."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

from services.chassis.payload import raw
from services.contracts.authority import Identified, Identify
from services.contracts.caller import Caller, SignedCaller, hash_arguments
from services.contracts.cases.cases import CaseBody
from services.contracts.messages import Request
from services.contracts.records import Record
from services.contracts.sharing.procedures import ClauseBody
from services.contracts.sharing.protocols import Contact, LegalGateway, Purpose
from services.contracts.vocabulary import Scope
from services.sharing.domain import tokens
from services.sharing.domain.agencies import Agency
from services.sharing.domain.clients import Client, Secret
from services.sharing.domain.people import Appointment, User
from services.sharing.domain.procedures import Procedure, Signature
from services.sharing.domain.protocols import Protocol
from services.sharing.domain.teams import Team
from services.sharing.stores.agencies import AgencyStore
from services.sharing.stores.clients import ClientStore
from services.sharing.stores.people import UserStore
from services.sharing.stores.principals import PrincipalStore
from services.sharing.stores.procedures import ProcedureStore
from services.sharing.stores.protocols import ProtocolStore
from services.sharing.stores.standing import StandingStore
from services.sharing.stores.teams import TeamStore
from tests.cell import Parts
from tests.integration.calling import Calling
from tests.integration.overhearing import Overhearing

QUIET = 0.2
"""Seconds without a record: there are no more. Each is in the queue before its answer is given."""
TODAY = datetime.now(UTC).date()
PURPOSES = (
    Purpose(
        code="crime_prevention",
        name="Prevention of crime and disorder",
        legal_gateways=(
            LegalGateway(
                code="cda_s115",
                name="Crime and Disorder Act 1998 s115",
                recipient_types=("police", "local_authority", "housing_association"),
            ),
        ),
    ),
)


def clock() -> datetime:
    """Now, as the database keeps it."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def case_body(team_id: str | None = None) -> CaseBody:
    """Of a case without subjects."""
    return CaseBody(
        template="complex_asb",
        title="Noise",
        priority="low",
        marking="official",
        owner_team_id=team_id,
        subjects=(),
    )


def user_of(agency: Agency, role: Any, **more: Any) -> User:
    """Somebody new of this agency; `more` is what else is said of them."""
    now = clock()
    return User(
        id=uuid.uuid4().hex,
        agency_id=agency.id,
        roles=(Appointment(role),),
        signature=None,
        must_change=False,
        version=1,
        created_at=now,
        updated_at=now,
        **more,
    )


class Person:
    """A user with a session, whose every request is identified anew, as the gateway does it."""

    def __init__(self, partnership: Partnership, user: User, token: str) -> None:
        self.user, self.id, self.agency_id, self.token = user, user.id, user.agency_id, token
        self._partnership = partnership

    def ask(self, method: str, request: Request, *, key: str | None = None) -> Any:
        """What `sharing.method` answers, as plain JSON. Raises its error."""
        signed, request_id = self.signed("sharing", method, request, key)
        return self._partnership.calling.ask(
            f"sharing.{method}", request, caller=signed, request_id=request_id, key=key, seconds=5
        )

    def tell(self, method: str, request: Request, key: str | None = None) -> Any:
        """As `ask`, of a command."""
        return self.ask(method, request, key=key or uuid.uuid4().hex)

    def caller(self, audience: str, method: str, request: Request) -> Caller:
        """As identified for this request."""
        return Caller.model_validate_json(self.signed(audience, method, request, None)[0].body)

    def signed(
        self, audience: str, method: str, request: Request, key: str | None
    ) -> tuple[SignedCaller, str]:
        request_id = uuid.uuid4().hex
        asked = Identify(
            token=self.token,
            audience=audience,
            method=method,
            args_hash=hash_arguments(bytes(raw(request)), key),
            request_id=request_id,
        )
        told: Identified = self._partnership.calling.ask("sharing.identify", asked, reply=Identified)
        return SignedCaller(told.body.encode(), bytes.fromhex(told.mac)), request_id


class Partnership:
    """Police, housing and a charity under one protocol; fire under none."""

    CLAUSES: tuple[ClauseBody, ...] = (ClauseBody(no=1, heading="Screens", text="Lock them."),)

    def __init__(self, parts: Parts, calling: Calling, database: Any) -> None:
        self.calling, self.database = calling, database
        self._principals = PrincipalStore(database)
        tag = uuid.uuid4().hex[:8]
        self.police = self._agency(f"Police {tag}", "police")
        self.homes = self._agency(f"Homes {tag}", "housing_association")
        self.charity = self._agency(f"Charity {tag}", "vcse")
        self.fire = self._agency(f"Fire {tag}", "fire_and_rescue")
        self.protocol = self._protocol(self.police.id, self.homes.id, self.charity.id)
        self.procedure = self._procedure()
        self._overhearing = Overhearing(parts)

    def close(self) -> None:
        self._overhearing.close()

    def recorded(self, person: Person) -> list[Record]:
        """What was recorded of what this person did, so far."""
        return self._overhearing.of(person.id)

    def team(self, agency: Agency, name: str) -> Team:
        now = clock()
        team = Team(uuid.uuid4().hex, agency.id, f"{name} {uuid.uuid4().hex[:6]}", 1, now, now)
        self._in_transaction(lambda session: TeamStore(self.database).add(team, session))
        return team

    def person(self, agency: Agency, name: str, *teams: Team, role: Any = "practitioner") -> Person:
        """Active, signed, logged in."""
        user = user_of(
            agency,
            role,
            username=uuid.uuid4().hex,
            name=name,
            email="somebody@example.test",
            job_title="Officer",
            team_ids=tuple(team.id for team in teams),
            state="active",
            has_password=True,
            has_totp=True,
        )
        UserStore(self.database).add(user, {})
        signature = Signature(self.procedure.version, self.procedure.sha256, user.created_at)
        self._in_transaction(lambda session: self._principals.sign(user.id, signature, session))
        totp = {"secret": "-", "last_step": 0, "last_request": None}
        self.database["users"].update_one({"_id": user.id}, {"$set": {"totp": totp}})
        return Person(self, user, self._session(user.id))

    def log_in_anew(self, person: Person) -> None:
        person.token = self._session(person.id)

    def _session(self, user_id: str) -> str:
        """The token of a new one."""
        now, token = clock(), tokens.make("u", user_id)
        session = {
            "id": uuid.uuid4().hex,
            "hash": token.hash,
            "created_at": now,
            "seen_at": now,
            "expires_at": now + timedelta(hours=1),
        }
        self.database["users"].update_one({"_id": user_id}, {"$push": {"sessions": session}})
        return token.text

    def client(
        self,
        agency: Agency,
        name: str,
        accountable: Person,
        *,
        scopes: tuple[Scope, ...] = ("cases:read", "directory:read"),
        secret: str = "secret",
    ) -> Client:
        now = clock()
        client = Client(
            id=uuid.uuid4().hex,
            agency_id=agency.id,
            name=name,
            accountable_user_id=accountable.id,
            scopes=scopes,
            networks=(),
            expires_at=now + timedelta(days=30),
            state="active",
            version=1,
            created_at=now,
            updated_at=now,
        )
        kept = Secret(tokens.hashed(secret), None)
        self._in_transaction(lambda session: ClientStore(self.database).add(client, kept, session))
        return client

    def terms_for(self, agency_id: str, *members: dict[str, str], **changed: Any) -> dict[str, Any]:
        """What a share on the protocol says: `members` as {"user_id": …} or {"team_id": …}; to read, for 20
        days."""
        return {
            "agency_id": agency_id,
            "members": list(members),
            "level": "read",
            "sections": ["summary", "timeline"],
            "purpose": "crime_prevention",
            "protocol_id": self.protocol.id,
            "legal_gateway": "cda_s115",
            "consent": {"state": "given"},
            "expires_at": clock() + timedelta(days=20),
            **changed,
        }

    def end_protocol(self) -> None:
        """Its last day was yesterday."""
        self._put_protocol(self.protocol, TODAY - timedelta(days=1))

    def renew_protocol(self) -> None:
        self._put_protocol(self.protocol, self.protocol.ends_on)

    def _put_protocol(self, protocol: Protocol, ends_on: date) -> None:
        name = f"protocols.{protocol.id}.ends_on"
        self.database["standing"].update_one(
            {"_id": "standing"}, {"$set": {name: ends_on.isoformat()}, "$inc": {"version": 1}}
        )

    def _agency(self, name: str, kind: Any) -> Agency:
        now = clock()
        agency = Agency(uuid.uuid4().hex, name, kind, None, "active", 1, now, now)
        AgencyStore(self.database).add(agency)
        self._in_transaction(lambda session: StandingStore(self.database).put_agency(agency, session))
        return agency

    def _protocol(self, *parties: str) -> Protocol:
        now, contact = clock(), Contact(name="Somebody", email="somebody@example.test")
        protocol = Protocol(
            id=uuid.uuid4().hex,
            title="Safer together",
            state="active",
            parties=parties,
            purposes=PURPOSES,
            data_categories=("crime",),
            starts_on=TODAY - timedelta(days=30),
            ends_on=TODAY + timedelta(days=60),
            review_on=TODAY + timedelta(days=30),
            spoc=contact,
            dpo=contact,
            document_sha256=None,
            signatories=(),
            version=1,
            created_at=now,
            updated_at=now,
        )
        self._in_transaction(lambda session: ProtocolStore(self.database).add(protocol, session))
        self._in_transaction(lambda session: StandingStore(self.database).put_protocol(protocol, session))
        return protocol

    def _procedure(self) -> Procedure:
        now = clock() - timedelta(days=1)
        version = 1 + len(self.database["standing"].find_one({"_id": "standing"}).get("procedures", ()))
        procedure = Procedure(version, "Procedure", self.CLAUSES, "0" * 64, now, now, now)
        self._in_transaction(lambda session: ProcedureStore(self.database).add(procedure, "-", session))
        self._in_transaction(lambda session: StandingStore(self.database).put_procedure(procedure, session))
        return procedure

    def _in_transaction(self, act: Any) -> None:
        with self.database.client.start_session() as session:
            session.with_transaction(act)
