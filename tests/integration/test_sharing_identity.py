"""From nobody at all to an officer who may be given content, and every way of being refused again."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest

from services.contracts.errors import ConcordatError
from services.contracts.sharing.account import (
    ChangePassword,
    ConfirmTotp,
    GetMe,
    PasswordChange,
    StartTotp,
    TotpCode,
)
from services.contracts.sharing.agencies import (
    AgencyBody,
    AgencyChanges,
    AgencyMove,
    CreateAgency,
    GetAgency,
    ListAgencies,
    MoveAgency,
    PatchAgency,
)
from services.contracts.sharing.clients import (
    ClientBody,
    CreateClient,
    DeleteClient,
    RotateSecret,
    RotationBody,
)
from services.contracts.sharing.people import (
    GetUser,
    InvitationBody,
    InviteUser,
    ListUsers,
    PatchUser,
    ResetUser,
    RoleGiven,
    UserChanges,
)
from services.contracts.sharing.procedures import (
    ClauseBody,
    GetCurrentProcedure,
    ProcedureBody,
    PublishProcedure,
    SignatureBody,
    SignProcedure,
)
from services.contracts.sharing.protocols import (
    Contact,
    CreateProtocol,
    GetProtocol,
    LegalGateway,
    ListProtocols,
    MoveProtocol,
    PatchProtocol,
    ProtocolBody,
    ProtocolChanges,
    ProtocolMove,
    Purpose,
)
from services.contracts.sharing.sessions import EndSession, GetCurrentSession, ListSessions
from services.contracts.sharing.teams import CreateTeam, GetTeam, PatchTeam, TeamBody, TeamChanges
from services.sharing.domain.london import day_of
from tests.cell import Parts
from tests.integration.calling import Calling, Instance
from tests.integration.sharing_gate import Gate, begin_anew, bootstrap, sharing_alone

PASSWORD = "quiet lanterns over the Tees"


def now() -> datetime:
    return datetime.now(UTC)


def code_of(problem: pytest.ExceptionInfo[ConcordatError]) -> str:
    return problem.value.code


@pytest.fixture(scope="module")
def sharing(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    begin_anew(parts)
    with sharing_alone(parts, tmp_path_factory.mktemp("sharing")) as one:
        yield one


class Town:
    """The partnership that these tests work in."""

    def __init__(self, gate: Gate, parts: Parts) -> None:
        self.gate, self.parts = gate, parts
        self.secrets: dict[str, str] = {}
        self.used: dict[str, int] = {}
        self.operator = self._operator()
        self.police = self.agency("Cleveland Police", "police")
        self.protocol = self.make_protocol([self.police])
        self.manager = self.first("manager", self.operator_agency, "security_manager")
        self.enrol("manager", self.manager)
        self.publish(sign_by=now() + timedelta(days=1))
        self.sign(self.manager)
        self.operator = self.ready("operator", self.operator)
        self.admin = self.ready("admin", self.first("admin", self.police, "agency_admin"))
        team = TeamBody(agency_id=self.police, name="Neighbourhood")
        self.team = gate.tell(self.admin, "create_team", CreateTeam(team=team))["id"]

    def _operator(self) -> str:
        told = bootstrap(self.parts, "operator")
        again = bootstrap(self.parts, "Operator")
        assert (again["user_id"], again["agency_id"]) == (told["user_id"], told["agency_id"])
        with pytest.raises(ConcordatError):
            self.gate.activate(told["activation_token"], PASSWORD)
        self.operator_agency = told["agency_id"]
        self.gate.activate(again["activation_token"], PASSWORD)
        assert bootstrap(self.parts, "operator")["activation_token"] is None
        begun = self.gate.log_in(username="OPERATOR", password=PASSWORD)
        assert begun["must"] == ["enrol_totp", "sign_procedure"]
        return self.enrol("operator", begun["token"])

    def enrol(self, username: str, token: str) -> str:
        """The same session, with an authenticator."""
        begun = self.gate.tell(token, "start_totp", StartTotp())
        self.secrets[username] = begun["secret"]
        assert begun["uri"].startswith("otpauth://totp/Concordat:")
        code = pyotp.TOTP(begun["secret"]).now()
        told = self.gate.tell(token, "confirm_totp", ConfirmTotp(confirmation=TotpCode(code=code)))
        assert len(set(told["recovery_codes"])) == 10
        self.recovery = told["recovery_codes"]
        return token

    def code(self, username: str) -> str:
        """One that was not used yet: the next step's is taken as well."""
        step = max(int(time.time()) // 30, self.used.get(username, 0) + 1)
        self.used[username] = step
        return pyotp.TOTP(self.secrets[username]).at(step * 30)

    def agency(self, name: str, kind: Any, state: str = "active") -> str:
        body = AgencyBody(name=f"{name} {uuid.uuid4().hex[:4]}", type=kind)
        made = self.gate.tell(self.operator, "create_agency", CreateAgency(agency=body))
        assert made["state"] == "proposed"
        for to in ("protocol_drafted", "signed", "active"):
            self.move_agency(made["id"], to)
        return str(made["id"])

    def move_agency(self, agency_id: str, to: Any) -> Any:
        move = AgencyMove(to=to, reason="as agreed")
        return self.gate.tell(self.operator, "move_agency", MoveAgency(agency_id=agency_id, move=move))

    def make_protocol(self, parties: list[str], upto: Any = ("signed", "active"), ends_in: int = 365) -> str:
        today = day_of(now())
        body = ProtocolBody(
            title="Cleveland information sharing protocol",
            parties=parties,
            purposes=[
                Purpose(
                    code="asb",
                    name="Anti-social behaviour",
                    legal_gateways=[
                        LegalGateway(code="cda115", name="CDA 1998 s115", recipient_types=["police"])
                    ],
                )
            ],
            data_categories=["identity"],
            starts_on=today - timedelta(days=700),
            ends_on=today + timedelta(days=ends_in),
            review_on=today,
            spoc=Contact(name="Sam Contact", email="sam@police.example"),
            dpo=Contact(name="Dee Officer", email="dee@police.example"),
        )
        made = self.gate.tell(self.operator, "create_protocol", CreateProtocol(protocol=body))
        assert made["state"] == "draft"
        for to in upto:
            self.move_protocol(made["id"], to)
        return str(made["id"])

    def move_protocol(self, protocol_id: str, to: Any) -> Any:
        move = MoveProtocol(protocol_id=protocol_id, move=ProtocolMove(to=to, reason="signed by all"))
        return self.gate.tell(self.operator, "move_protocol", move)

    def first(self, username: str, agency_id: str, role: Any, by: str | None = None) -> str:
        """A person's first session."""
        invited = self.invite(by or self.operator, username, agency_id, role)
        assert invited["state"] == "invited"
        told = self.gate.activate(invited["activation_token"], PASSWORD)
        assert told == {"username": username}
        return str(self.gate.log_in(username=username, password=PASSWORD)["token"])

    def invite(self, by: str, username: str, agency_id: str, role: Any, **more: Any) -> Any:
        body = InvitationBody(
            username=username,
            name=f"{username.title()} Person",
            email=f"{username}@example.org",
            agency_id=agency_id,
            roles=[RoleGiven(role=role)],
            **more,
        )
        told = self.gate.tell(by, "invite_user", InviteUser(user=body))
        self.ids = {**getattr(self, "ids", {}), username: told["id"]}
        return told

    def publish(self, *, sign_by: datetime) -> int:
        body = ProcedureBody(
            title="Security Operating Procedure",
            clauses=[ClauseBody(no="1", heading="Devices", text=f"Lock the screen. {uuid.uuid4().hex}")],
            effective_from=now() - timedelta(seconds=1),
            sign_by=sign_by,
        )
        told = self.gate.tell(self.manager, "publish_procedure", PublishProcedure(procedure=body))
        return int(told["version"])

    def ready(self, username: str, token: str) -> str:
        """Enrolled and signed."""
        if username not in self.secrets:
            self.enrol(username, token)
        self.sign(token)
        return token

    def sign(self, token: str) -> Any:
        current = self.gate.ask(token, "current_procedure", GetCurrentProcedure())
        body = SignatureBody(version=current["version"], sha256=current["sha256"])
        return self.gate.tell(token, "sign_procedure", SignProcedure(signature=body))

    def again(self, username: str) -> str:
        """Logged in anew."""
        told = self.gate.log_in(username=username, password=PASSWORD, totp=self.code(username))
        return str(told["token"])

    def officer(self, username: str, role: Any = "practitioner") -> str:
        return self.ready(username, self.first(username, self.police, role, by=self.admin))

    def patch(self, by: str, username: str, **changes: Any) -> Any:
        user_id = self.ids[username]
        etag = self.gate.ask(by, "get_user", GetUser(user_id=user_id))["etag"]
        patch = PatchUser(user_id=user_id, if_match=etag, changes=UserChanges(**changes))
        return self.gate.tell(by, "patch_user", patch)


@pytest.fixture(scope="module")
def town(sharing: Instance, calling: Calling, parts: Parts) -> Town:
    return Town(Gate(calling), parts)


@pytest.fixture
def gate(town: Town) -> Gate:
    return town.gate


def test_an_officer_is_vouched_for_once_everything_is_done(town: Town, gate: Gate) -> None:
    invited = town.invite(town.admin, "fiona", town.police, "practitioner", team_ids=[town.team])
    gate.activate(invited["activation_token"], PASSWORD)
    begun = gate.log_in(username="fiona", password=PASSWORD)
    token = begun["token"]
    for code, act in (
        ("totp_not_enrolled", lambda: town.enrol("fiona", token)),
        ("procedure_unsigned", lambda: town.sign(token)),
    ):
        with pytest.raises(ConcordatError) as refused:
            gate.ask(token, "list_agencies", ListAgencies())
        assert code_of(refused) == code
        assert gate.ask(token, "current_session", GetCurrentSession())["must"]
        act()
    me = gate.ask(token, "me", GetMe())
    assert me == {
        "user": {"id": invited["id"], "name": "Fiona Person"},
        "agency": {"id": town.police, "name": me["agency"]["name"]},
        "teams": [{"id": town.team, "name": "Neighbourhood"}],
        "roles": ["practitioner"],
        "uses": [],
        "must": [],
        "second_factors": ["totp"],
    }
    caller, _, _ = gate.identify(token, "list_cases", GetMe(), service="cases")
    assert (caller.kind, caller.id, caller.agency_id, caller.agency_type) == (
        "user",
        invited["id"],
        town.police,
        "police",
    )
    assert caller.roles == ("practitioner",)
    assert caller.team_ids == (town.team,)
    assert caller.procedure_version == gate.ask(token, "current_procedure", GetCurrentProcedure())["id"]
    assert (caller.inactive_agencies, caller.inactive_protocols, caller.fences) == ((), (), {})
    assert caller.expires_at > caller.now


def test_a_role_that_is_not_held_is_refused_unless_it_is_about_a_case(town: Town, gate: Gate) -> None:
    token = town.officer("rollo", "governance_member")
    with pytest.raises(ConcordatError) as refused:
        gate.ask(token, "list_users", ListUsers())
    assert code_of(refused) == "role_required"
    caller, _, _ = gate.identify(token, "get_case", GetMe(), service="cases")
    assert caller.roles == ("governance_member",)


def test_a_disabled_account_is_out_at_once(town: Town, gate: Gate) -> None:
    token = town.officer("dora")
    assert gate.ask(token, "me", GetMe())["must"] == []
    town.patch(town.admin, "dora", state="disabled")
    with pytest.raises(ConcordatError) as refused:
        gate.ask(token, "me", GetMe())
    assert code_of(refused) == "unauthenticated"
    with pytest.raises(ConcordatError) as refused:
        gate.log_in(username="dora", password="not that one at all")
    assert code_of(refused) == "bad_credentials"
    with pytest.raises(ConcordatError) as refused:
        gate.log_in(username="dora", password=PASSWORD, totp=town.code("dora"))
    assert code_of(refused) == "account_disabled"
    town.patch(town.admin, "dora", state="active")
    assert gate.log_in(username="dora", password=PASSWORD, totp=town.code("dora"))["must"] == []


def test_a_role_ends_with_its_last_day(town: Town, gate: Gate) -> None:
    token = town.officer("rhea")
    today = day_of(now())
    yesterday = RoleGiven(role="practitioner", ends_on=today - timedelta(days=1))
    town.patch(town.admin, "rhea", roles=[yesterday, RoleGiven(role="supervisor", ends_on=today)])
    caller, _, _ = gate.identify(token, "list_cases", GetMe(), service="cases")
    assert caller.roles == ("supervisor",)


def test_a_suspended_agency_is_shut_out_until_it_is_active_again(town: Town, gate: Gate) -> None:
    token = town.officer("susan")
    town.move_agency(town.police, "suspended")
    try:
        for ask in (
            lambda: gate.ask(token, "me", GetMe()),
            lambda: gate.log_in(username="susan", password=PASSWORD, totp=town.code("susan")),
        ):
            with pytest.raises(ConcordatError) as refused:
                ask()
            assert code_of(refused) == "agency_suspended"
        with pytest.raises(ConcordatError) as refused:
            gate.log_in(username="susan", password="wrong wrong wrong")
        assert code_of(refused) == "bad_credentials"
        caller, _, _ = gate.identify(town.operator, "list_agencies", ListAgencies())
        assert caller.inactive_agencies == (town.police,)
    finally:
        town.move_agency(town.police, "active")
        town.admin = town.again("admin")
    with pytest.raises(ConcordatError) as refused:
        gate.ask(token, "me", GetMe())
    assert code_of(refused) == "unauthenticated"
    assert gate.ask(town.again("susan"), "me", GetMe())["must"] == []


def test_an_expired_protocol_shuts_out_and_a_renewal_lets_in(town: Town, gate: Gate) -> None:
    housing = town.agency("Thirteen", "housing_association")
    protocol = town.make_protocol([housing], upto=("signed",))
    town.invite(town.operator, "harriet", housing, "agency_admin")
    reset = gate.tell(town.operator, "reset_user", ResetUser(user_id=town.ids["harriet"]))
    gate.activate(reset["activation_token"], PASSWORD)
    with pytest.raises(ConcordatError) as refused:
        gate.log_in(username="harriet", password=PASSWORD)
    assert code_of(refused) == "protocol_not_active"
    town.move_protocol(protocol, "active")
    token = gate.log_in(username="harriet", password=PASSWORD)["token"]
    today = day_of(now())
    for ends_on, code in ((today - timedelta(days=1), "protocol_expired"), (today, None)):
        seen = gate.ask(town.operator, "get_protocol", GetProtocol(protocol_id=protocol))
        patch = PatchProtocol(
            protocol_id=protocol, if_match=f'"{seen["etag"]}"', changes=ProtocolChanges(ends_on=ends_on)
        )
        told = gate.tell(town.operator, "patch_protocol", patch)
        if code is None:
            assert told["state"] == "active"
            with pytest.raises(ConcordatError) as refused:
                gate.ask(token, "me", GetMe())
            assert code_of(refused) == "unauthenticated"
            token = gate.log_in(username="harriet", password=PASSWORD)["token"]
            assert gate.ask(token, "me", GetMe())["must"]
        else:
            assert told["state"] == "expired"
            with pytest.raises(ConcordatError) as refused:
                gate.ask(token, "me", GetMe())
            assert code_of(refused) == code
    with pytest.raises(ConcordatError) as refused:
        gate.tell(town.operator, "patch_protocol", patch)
    assert code_of(refused) == "stale"
    assert refused.value.etag == told["etag"]


def test_protocols_are_seen_by_their_parties(town: Town, gate: Gate) -> None:
    other = town.make_protocol([town.agency("Accent", "housing_association")])
    officer = town.officer("petra")
    seen = gate.ask(officer, "list_protocols", ListProtocols(limit=100))["items"]
    assert town.protocol in [one["id"] for one in seen]
    assert other not in [one["id"] for one in seen]
    with pytest.raises(ConcordatError) as refused:
        gate.ask(officer, "get_protocol", GetProtocol(protocol_id=other))
    assert code_of(refused) == "not_found"
    all_of_them = gate.ask(town.operator, "list_protocols", ListProtocols(limit=1))
    assert len(all_of_them["items"]) == 1
    assert all_of_them["next"]


def test_a_former_signature_holds_until_sign_by(town: Town, gate: Gate) -> None:
    token = town.officer("sybil")
    before = gate.ask(token, "current_procedure", GetCurrentProcedure())
    town.publish(sign_by=now() + timedelta(days=1))
    assert gate.ask(token, "me", GetMe())["must"] == []
    current = gate.ask(token, "current_procedure", GetCurrentProcedure())
    assert current["version"] == before["version"] + 1
    assert current["my_signature"]["version"] == before["version"]
    superseded = SignatureBody(version=before["version"], sha256=before["sha256"])
    with pytest.raises(ConcordatError) as refused:
        gate.tell(token, "sign_procedure", SignProcedure(signature=superseded))
    assert code_of(refused) == "procedure_superseded"
    town.publish(sign_by=now())
    with pytest.raises(ConcordatError) as refused:
        gate.ask(token, "list_agencies", ListAgencies())
    assert code_of(refused) == "procedure_unsigned"
    signed = town.sign(token)
    assert (signed["user_id"], signed["device_id"]) == (town.ids["sybil"], None)
    assert gate.ask(token, "list_agencies", ListAgencies())["items"]
    for one in (town.admin, town.operator, town.manager):
        town.sign(one)


def test_codes_and_recovery_codes_are_used_once(town: Town, gate: Gate) -> None:
    town.officer("toto")
    recovery = town.recovery[0]
    with pytest.raises(ConcordatError) as refused:
        gate.log_in(username="toto", password=PASSWORD)
    assert code_of(refused) == "totp_required"
    used = town.code("toto")
    for totp in (used, recovery):
        assert gate.log_in(username="toto", password=PASSWORD, totp=totp)["must"] == []
        with pytest.raises(ConcordatError) as refused:
            gate.log_in(username="toto", password=PASSWORD, totp=totp)
        assert code_of(refused) == "bad_credentials"


def test_sessions_are_listed_and_ended_and_a_new_password_ends_the_others(town: Town, gate: Gate) -> None:
    token = town.officer("lena")
    others = [gate.log_in(username="lena", password=PASSWORD, totp=town.code("lena")) for _ in range(2)]
    listed = gate.ask(token, "list_sessions", ListSessions())["items"]
    assert [one["current"] for one in listed] == [False, False, True]
    for _ in range(2):  # the answer may have been lost
        assert gate.tell(token, "end_session", EndSession(session_id=others[0]["id"]), key="ends") == {}
    with pytest.raises(ConcordatError) as refused:
        gate.tell(token, "end_session", EndSession(session_id=others[0]["id"]))
    assert code_of(refused) == "not_found"
    with pytest.raises(ConcordatError) as refused:
        gate.ask(others[0]["token"], "me", GetMe())
    assert code_of(refused) == "unauthenticated"
    for current, new, code in (
        ("not my password", "another good sentence", "wrong_password"),
        (PASSWORD, "short", "too_short"),
        (PASSWORD, PASSWORD, "same_as_before"),
    ):
        change = ChangePassword(change=PasswordChange(current=current, new=new))
        with pytest.raises(ConcordatError) as refused:
            gate.tell(token, "change_password", change)
        assert [one.code for one in refused.value.errors] == [code]
    change = ChangePassword(change=PasswordChange(current=PASSWORD, new="another good sentence"))
    gate.tell(token, "change_password", change)
    with pytest.raises(ConcordatError):
        gate.ask(others[1]["token"], "me", GetMe())
    assert gate.ask(token, "me", GetMe())["must"] == []


def test_a_reset_takes_password_authenticator_and_sessions_and_begins_anew(town: Town, gate: Gate) -> None:
    token = town.officer("remy")
    reset = gate.tell(town.admin, "reset_user", ResetUser(user_id=town.ids["remy"]))
    with pytest.raises(ConcordatError) as refused:
        gate.ask(token, "me", GetMe())
    assert code_of(refused) == "unauthenticated"
    with pytest.raises(ConcordatError) as refused:
        gate.log_in(username="remy", password=PASSWORD, totp=town.code("remy"))
    assert code_of(refused) == "bad_credentials"
    gate.activate(reset["activation_token"], "another good sentence")
    begun = gate.log_in(username="remy", password="another good sentence")
    assert begun["must"] == ["enrol_totp"]
    town.enrol("remy", begun["token"])
    assert gate.ask(begun["token"], "me", GetMe())["must"] == []


def test_ten_failures_shut_the_door_also_for_names_that_nobody_has(town: Town, gate: Gate) -> None:
    for username in ("nobody at all", "nobody else"):
        codes = []
        for _ in range(11):
            with pytest.raises(ConcordatError) as refused:
                gate.log_in(username=username, password="some password or other")
            codes.append(code_of(refused))
        assert codes == ["bad_credentials"] * 10 + ["rate_limited"]
        assert 0 < (refused.value.retry_after or 0) <= 901


def test_an_administrator_stays_in_the_own_agency_and_gives_no_wider_role(town: Town, gate: Gate) -> None:
    other = town.agency("North Star", "housing_association")
    for agency_id, role, code in (
        (other, "practitioner", "role_required"),
        (town.police, "system_operator", "invalid"),
    ):
        with pytest.raises(ConcordatError) as refused:
            town.invite(town.admin, f"x{uuid.uuid4().hex}", agency_id, role)
        assert code_of(refused) == code
    with pytest.raises(ConcordatError) as refused:
        town.invite(town.operator, "taken", other, "practitioner")
    assert [one.pointer for one in refused.value.errors] == ["/roles/0/role"]
    with pytest.raises(ConcordatError) as refused:
        town.invite(town.admin, "ADMIN", town.police, "practitioner")
    assert [one.code for one in refused.value.errors] == ["username_taken"]
    with pytest.raises(ConcordatError) as refused:
        gate.ask(town.admin, "list_users", ListUsers(agency_id=other))
    assert code_of(refused) == "not_found"
    town.invite(town.operator, "dpo", town.police, "partnership_dpo")
    with pytest.raises(ConcordatError) as refused:
        gate.tell(town.admin, "reset_user", ResetUser(user_id=town.ids["dpo"]))
    assert code_of(refused) == "role_required"
    town.officer("casey")
    with pytest.raises(ConcordatError) as refused:
        gate.tell(town.operator, "reset_user", ResetUser(user_id=town.ids["casey"]))
    assert code_of(refused) == "role_required"


def test_no_administrator_lets_themself_into_cases(town: Town, gate: Gate) -> None:
    town.officer("absent")
    roles = [RoleGiven(role="agency_admin"), RoleGiven(role="practitioner")]
    for username, changes in (
        ("admin", {"roles": roles}),
        ("admin", {"team_ids": [town.team]}),
        ("absent", {"deputy_id": town.ids["admin"]}),
    ):
        with pytest.raises(ConcordatError) as refused:
            town.patch(town.admin, username, **changes)
        assert [one.code for one in refused.value.errors] == ["own_account"]


def test_an_invitation_told_twice_is_one_invitation(town: Town, gate: Gate) -> None:
    key = uuid.uuid4().hex
    body = InvitationBody(username="twice", name="Twice", email="t@example.org", agency_id=town.police)
    first = gate.tell(town.admin, "invite_user", InviteUser(user=body), key=key)
    again = gate.tell(town.admin, "invite_user", InviteUser(user=body), key=key)
    assert first["activation_token"]
    assert again == {name: value for name, value in first.items() if not name.startswith("activation_")}


def test_members_of_a_team_come_and_go(town: Town, gate: Gate) -> None:
    token, body = town.officer("tamsin"), TeamBody(agency_id=town.police, name="Patrol", user_ids=[])
    made = gate.tell(town.admin, "create_team", CreateTeam(team=body))
    for members in ([town.ids["tamsin"]], []):
        seen = gate.ask(town.admin, "get_team", GetTeam(team_id=made["id"]))
        patch = PatchTeam(team_id=made["id"], if_match=seen["etag"], changes=TeamChanges(user_ids=members))
        assert gate.tell(town.admin, "patch_team", patch)["user_ids"] == members
        caller, _, _ = gate.identify(token, "list_cases", GetMe(), service="cases")
        assert caller.team_ids == ((made["id"],) if members else ())
    assert "user_ids" not in gate.ask(token, "get_team", GetTeam(team_id=made["id"]))


def test_a_client_has_its_own_credential_and_an_accountable_person(town: Town, gate: Gate) -> None:
    accountable = town.officer("acton")
    body = ClientBody(
        agency_id=town.police,
        name="Records system",
        accountable_user_id=town.ids["acton"],
        scopes=["cases:read"],
        networks=["10.1.0.0/16"],
        expires_at=now() + timedelta(days=1),
    )
    made = gate.tell(town.admin, "create_client", CreateClient(client=body))
    assert made["client_id"] == made["id"]
    secrets = {"client_id": made["id"], "client_secret": made["client_secret"]}
    begun = gate.log_in("10.1.2.3", **secrets)
    assert begun["must"] == []
    caller, _, _ = gate.identify(begun["token"], "list_cases", GetMe(), service="cases", address="10.1.2.3")
    assert (caller.kind, caller.accountable_id, caller.scopes) == (
        "client",
        town.ids["acton"],
        ("cases:read",),
    )
    for address in ("10.2.0.1", None):
        with pytest.raises(ConcordatError) as refused:
            gate.identify(begun["token"], "list_cases", GetMe(), service="cases", address=address)
        assert code_of(refused) == "unauthenticated"
    with pytest.raises(ConcordatError) as refused:
        gate.identify(begun["token"], "create_case", GetMe(), service="cases", address="10.1.2.3")
    assert code_of(refused) == "role_required"
    rotated = gate.tell(town.admin, "rotate_secret", RotateSecret(client_id=made["id"]))
    for secret in (made["client_secret"], rotated["client_secret"]):
        assert gate.log_in("10.1.2.3", client_id=made["id"], client_secret=secret)["token"]
    leaked = RotateSecret(client_id=made["id"], rotation=RotationBody(overlap_seconds=0))
    rotated = gate.tell(town.admin, "rotate_secret", leaked)
    with pytest.raises(ConcordatError) as refused:
        gate.identify(begun["token"], "list_cases", GetMe(), service="cases", address="10.1.2.3")
    assert code_of(refused) == "unauthenticated"
    begun = gate.log_in("10.1.2.3", client_id=made["id"], client_secret=rotated["client_secret"])
    town.patch(town.admin, "acton", state="disabled")
    with pytest.raises(ConcordatError) as refused:
        gate.identify(begun["token"], "list_cases", GetMe(), service="cases", address="10.1.2.3")
    assert code_of(refused) == "account_disabled"
    for _ in range(2):  # the answer may have been lost
        assert gate.tell(town.admin, "delete_client", DeleteClient(client_id=made["id"]), key="gone") == {}
    with pytest.raises(ConcordatError) as refused:
        gate.log_in("10.1.2.3", **secrets)
    assert code_of(refused) == "bad_credentials"
    assert accountable


def test_an_agency_is_changed_with_its_present_etag(town: Town, gate: Gate) -> None:
    agency = town.agency("Fire and Rescue", "fire_and_rescue")
    seen = gate.ask(town.operator, "get_agency", GetAgency(agency_id=agency))
    patch = PatchAgency(
        agency_id=agency, if_match=f'W/"{seen["etag"]}"', changes=AgencyChanges(area="Stockton")
    )
    assert gate.tell(town.operator, "patch_agency", patch)["area"] == "Stockton"
    for if_match, code in ((None, "if_match_required"), (seen["etag"], "stale")):
        with pytest.raises(ConcordatError) as refused:
            gate.tell(town.operator, "patch_agency", patch.model_copy(update={"if_match": if_match}))
        assert code_of(refused) == code
    with pytest.raises(ConcordatError) as refused:
        town.move_agency(agency, "proposed")
    assert code_of(refused) == "invalid_transition"


def test_nothing_personal_is_logged(town: Town, sharing: Instance) -> None:
    said = Path(sharing.log).read_text()
    for secret in (PASSWORD, "fiona", "Fiona", "example.org", town.secrets["operator"], town.operator):
        assert secret not in said
