"""Training, places and devices on a real database: what `identify` puts into the caller, and how soon."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pyotp
import pytest

from services.chassis.mongo import connect
from services.contracts.authority import DeviceProof
from services.contracts.bars import Bar
from services.contracts.caller import Caller
from services.contracts.errors import ConcordatError, Invalid
from services.contracts.sharing.account import GetMe
from services.contracts.sharing.agencies import AgencyChanges, GetAgency, PatchAgency, PlaceBody
from services.contracts.sharing.devices import (
    DeviceBody,
    DeviceChanges,
    EnrolDevice,
    EnrolmentBody,
    GetDevice,
    ListDevices,
    PatchDevice,
    RegisterDevice,
)
from services.contracts.sharing.procedures import ClauseBody, ProcedureBody, PublishProcedure
from services.contracts.sharing.sessions import GetCurrentSession, StepUp, StepUpBody
from services.contracts.sharing.trainings import ListTrainings, RecordTraining, TrainingBody
from services.sharing.domain.london import day_of
from tests.cell import Parts
from tests.integration.calling import Calling, Instance
from tests.integration.sharing_gate import Gate, begin_anew, sharing_alone
from tests.integration.test_sharing_identity import Town, code_of, now

SENSITIVE, AWAY = "marking:official_sensitive", "export:official_sensitive"
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def sharing(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    begin_anew(parts)
    folder = tmp_path_factory.mktemp("sharing")
    with sharing_alone(parts, folder, CONCORDAT_TRAINED_USES="vemt") as one:
        yield one


@pytest.fixture(scope="module")
def town(sharing: Instance, calling: Calling, parts: Parts) -> Town:
    found = Town(Gate(calling), parts)
    body = ProcedureBody(
        title="Security Operating Procedure",
        clauses=[
            ClauseBody(
                no=7,
                heading="Devices",
                text="Only ours.",
                covers=("device_not_permitted", "network_not_permitted"),
            ),
            ClauseBody(no=8, heading="Training", text="First.", covers=("training_required",)),
        ],
        effective_from=now() - timedelta(seconds=1),
        sign_by=now() + DAY,
    )
    found.gate.tell(found.manager, "publish_procedure", PublishProcedure(procedure=body))
    return found


@pytest.fixture
def gate(town: Town) -> Gate:
    return town.gate


@pytest.fixture
def places(town: Town) -> Iterator[Any]:
    def put(*rules: PlaceBody, by: str | None = None) -> Any:
        who = by or town.admin
        etag = town.gate.ask(who, "get_agency", GetAgency(agency_id=town.police))["etag"]
        changes = AgencyChanges(places=rules)
        patch = PatchAgency(agency_id=town.police, if_match=etag, changes=changes)
        return town.gate.tell(who, "patch_agency", patch)

    yield put
    put()


def met(gate: Gate, token: str, **where: Any) -> Caller:
    """As whom the session comes to `cases`."""
    caller, _, _ = gate.identify(token, "get_case", GetMe(), service="cases", **where)
    return caller


def proof(device_id: str, secret: str) -> DeviceProof:
    return DeviceProof(id=device_id, hash=hashlib.sha256(secret.encode()).hexdigest())


def enrolled(town: Town, token: str, secret: str, **body: Any) -> DeviceProof:
    device = DeviceBody(name="Laptop", device_class="managed", **body)
    made = town.gate.tell(town.admin, "register_device", RegisterDevice(device=device))
    found = proof(made["id"], secret)
    enrolment = EnrolmentBody(code=made["enrolment_code"].lower())
    request = EnrolDevice(enrolment=enrolment, secret_hash=found.hash)
    assert town.gate.tell(token, "enrol_device", request)["state"] == "enrolled"
    return found


MANAGED_ONLY = PlaceBody(marking="official_sensitive", device_classes=("managed",))


def test_without_training_its_cases_stay_shut_and_the_clause_says_so(town: Town, gate: Gate) -> None:
    token, today = town.officer("tina"), day_of(now())
    user_id = town.ids["tina"]
    assert met(gate, token).barred == {"use:vemt": Bar(code="training_required", clause="8 Training")}

    def record(by: str, **days: Any) -> Any:
        training = TrainingBody(use="vemt", **days)
        return gate.tell(by, "record_training", RecordTraining(user_id=user_id, training=training))

    past = {"completed_on": today - 9 * DAY, "expires_on": today - DAY}
    assert record(town.admin, **past)["current"] is False
    assert set(met(gate, token).barred) == {"use:vemt"}
    told = record(town.admin, completed_on=today, expires_on=today)
    assert (told["current"], told["required"]) == (True, True)
    assert (met(gate, token).barred, met(gate, token).uses) == ({}, ("vemt",))
    assert gate.ask(token, "me", GetMe())["uses"] == ["vemt"]
    mine = gate.ask(token, "list_trainings", ListTrainings(user_id=user_id))
    assert ([one["id"] for one in mine["items"]], mine["missing"]) == ([told["id"]], [])
    record(town.admin, **past)  # a day that was wrong is put right
    assert set(met(gate, token).barred) == {"use:vemt"}
    with pytest.raises(ConcordatError) as refused:
        record(token, **past)
    assert code_of(refused) == "role_required"


def test_training_is_nobody_elses_business(town: Town, gate: Gate) -> None:
    token = town.officer("nosy")
    for by in (token, town.operator):
        with pytest.raises(ConcordatError) as refused:
            gate.ask(by, "list_trainings", ListTrainings(user_id=town.ids["admin"]))
        assert code_of(refused) == "not_found"


def test_no_administrator_vouches_for_their_own_training(town: Town, gate: Gate) -> None:
    today = day_of(now())
    training = TrainingBody(use="vemt", completed_on=today, expires_on=today)
    request = RecordTraining(user_id=town.ids["admin"], training=training)
    with pytest.raises(Invalid) as refused:
        gate.tell(town.admin, "record_training", request)
    assert [one.code for one in refused.value.errors] == ["own_account"]


def test_a_device_is_what_its_secret_proves_and_a_revoked_one_is_none_at_once(
    town: Town, gate: Gate, places: Any
) -> None:
    token, other = town.officer("dana"), town.officer("otto")
    places(MANAGED_ONLY)
    refused = Bar(code="device_not_permitted", clause="7 Devices")
    own = enrolled(town, token, "a" * 43, user_id=town.ids["dana"])
    assert met(gate, token).barred[SENSITIVE] == refused
    held = met(gate, token, device=own)
    assert (held.device_class, held.device_id) == ("managed", own.id)
    assert SENSITIVE not in held.barred
    assert met(gate, token, device=proof(own.id, "b" * 43)).barred[SENSITIVE] == refused
    assert met(gate, other, device=own).barred[SENSITIVE] == refused
    shown = gate.ask(token, "current_session", GetCurrentSession(), device=own)["device"]
    assert shown == {"id": own.id, "name": "Laptop", "device_class": "managed"}
    etag = gate.ask(town.admin, "get_device", GetDevice(device_id=own.id))["etag"]
    patch = PatchDevice(device_id=own.id, if_match=etag, changes=DeviceChanges(state="revoked"))
    assert gate.tell(town.admin, "patch_device", patch)["state"] == "revoked"
    assert met(gate, token, device=own).barred[SENSITIVE] == refused
    again = PatchDevice(device_id=own.id, if_match="*", changes=DeviceChanges(name="Back"))
    with pytest.raises(ConcordatError):
        gate.tell(town.admin, "patch_device", again)


def test_a_device_of_the_agency_is_anybodys_in_it_and_nobody_elses(
    town: Town, gate: Gate, places: Any
) -> None:
    one, two = town.officer("ivy"), town.officer("joe")
    shared = enrolled(town, one, "c" * 43)
    # Before there is a rule nothing hangs on it, and nothing is read; the account page is told all the same.
    assert met(gate, one, device=shared).device_class == "personal"
    assert gate.ask(one, "current_session", GetCurrentSession(), device=shared)["device"]["id"] == shared.id
    places(MANAGED_ONLY)
    for token in (one, two):
        assert met(gate, token, device=shared).device_class == "managed"
    assert met(gate, town.operator, device=shared).device_class == "personal"
    etag = gate.ask(town.admin, "get_device", GetDevice(device_id=shared.id))["etag"]
    patch = PatchDevice(device_id=shared.id, if_match=etag, changes=DeviceChanges(state="revoked"))
    gate.tell(town.admin, "patch_device", patch)
    assert met(gate, two, device=shared).device_class == "personal"


def test_an_enrolment_code_works_once_for_whom_it_is_meant_and_is_shown_once(town: Town, gate: Gate) -> None:
    token, other = town.officer("kay"), town.officer("max")
    body = DeviceBody(name="Phone", device_class="mobile", user_id=town.ids["kay"])
    made = gate.tell(town.admin, "register_device", RegisterDevice(device=body), key="registered-once")
    again = gate.tell(town.admin, "register_device", RegisterDevice(device=body), key="registered-once")
    assert (again["id"], "enrolment_code" in again) == (made["id"], False)
    request = EnrolDevice(enrolment=EnrolmentBody(code=made["enrolment_code"]), secret_hash="1" * 64)
    with pytest.raises(ConcordatError) as refused:
        gate.tell(other, "enrol_device", request)
    assert [error.code for error in refused.value.errors] == ["code_not_valid"]
    first = gate.tell(token, "enrol_device", request, key="enrolled-once")
    assert gate.tell(token, "enrol_device", request, key="enrolled-once") == first
    with pytest.raises(ConcordatError) as refused:
        gate.tell(token, "enrol_device", request)
    assert [error.code for error in refused.value.errors] == ["code_not_valid"]
    # The same command with another secret has enrolled nothing by that one.
    another = request.model_copy(update={"secret_hash": "2" * 64})
    with pytest.raises(ConcordatError) as refused:
        gate.tell(token, "enrol_device", another, key="enrolled-once")
    assert code_of(refused) == "invalid_transition"
    listed = gate.ask(town.admin, "list_devices", ListDevices(user_id=town.ids["kay"]))["items"]
    assert [(one["id"], one["state"], one["class"]) for one in listed] == [(made["id"], "enrolled", "mobile")]


def test_wrong_enrolment_codes_are_tried_as_often_as_passwords(town: Town, gate: Gate) -> None:
    token = town.officer("guess")
    request = EnrolDevice(enrolment=EnrolmentBody(code="AAAA-BBBB-CCCC"), secret_hash="1" * 64)
    codes = []
    for _ in range(11):
        with pytest.raises(ConcordatError) as refused:
            gate.tell(token, "enrol_device", request)
        codes.append(code_of(refused))
    assert codes == ["invalid"] * 10 + ["rate_limited"]


def test_a_network_is_permitted_by_the_address_that_the_gateway_believes(
    town: Town, gate: Gate, places: Any
) -> None:
    token = town.officer("nell")
    places(PlaceBody(marking="official", networks=("10.1.0.0/16",)))
    refused = Bar(code="network_not_permitted", clause="7 Devices")
    for address in ("192.0.2.1", None):
        barred = met(gate, token, address=address).barred
        assert barred["marking:official"] == barred[SENSITIVE] == refused
    assert set(met(gate, token, address="10.1.2.3").barred) == {"use:vemt"}


def test_a_fresh_code_lifts_the_refusal_in_its_session_alone(town: Town, gate: Gate, places: Any) -> None:
    token = town.officer("stella")
    other = gate.log_in(username="stella", password="quiet lanterns over the Tees", totp=town.code("stella"))
    places(MANAGED_ONLY.model_copy(update={"step_up": True}))
    assert met(gate, token).barred[SENSITIVE] == Bar(code="step_up_required", clause="7 Devices")

    def step_up(code: str, **more: Any) -> Any:
        return gate.tell(token, "step_up", StepUp(step_up=StepUpBody(code=code)), **more)

    used = pyotp.TOTP(town.secrets["stella"]).at(town.used["stella"] * 30)
    with pytest.raises(ConcordatError) as refused:
        step_up(used)  # it opened a session
    assert [error.code for error in refused.value.errors] == ["wrong_code"]
    with connect(town.parts.mongo_url("operator"), app="test") as client:
        # As if that log-in had been a while ago: the next code is a minute away.
        user = {"_id": town.ids["stella"]}
        client["sharing"]["users"].update_one(user, {"$inc": {"totp.last_step": -3}})
    first = step_up(used, key="stepped-once")
    assert step_up(used, key="stepped-once") == first
    held = met(gate, token).barred
    assert (SENSITIVE in held, AWAY in held) == (False, True)
    assert gate.ask(token, "current_session", GetCurrentSession())["stepped_up_until"] == first["until"]
    assert SENSITIVE in met(gate, other["token"]).barred
    with pytest.raises(ConcordatError):
        step_up(used)


def test_places_are_the_agencys_own_administrators_to_set_and_to_see(
    town: Town, gate: Gate, places: Any
) -> None:
    token = town.officer("pete")
    before = gate.ask(token, "get_agency", GetAgency(agency_id=town.police))
    told = places(MANAGED_ONLY)
    assert [rule["marking"] for rule in told["places"]] == ["official_sensitive"]
    after = gate.ask(token, "get_agency", GetAgency(agency_id=town.police))
    assert "places" not in after
    assert before == after  # and so is its tag: nothing that this officer sees has changed
    for by, changes in (
        (town.operator, AgencyChanges(places=())),
        (token, AgencyChanges(places=())),
        (town.admin, AgencyChanges(area="Everywhere")),
        (town.admin, AgencyChanges(area="Everywhere", places=())),
        (town.admin, AgencyChanges()),
    ):
        etag = gate.ask(by, "get_agency", GetAgency(agency_id=town.police))["etag"]
        patch = PatchAgency(agency_id=town.police, if_match=etag, changes=changes)
        with pytest.raises(ConcordatError) as refused:
            gate.tell(by, "patch_agency", patch)
        assert code_of(refused) == "role_required"
    stale = PatchAgency(agency_id=town.police, if_match=before["etag"], changes=AgencyChanges(places=()))
    with pytest.raises(ConcordatError) as refused:
        gate.tell(town.admin, "patch_agency", stale)
    assert code_of(refused) == "stale"


def test_no_secret_of_a_device_is_kept_or_logged(town: Town, gate: Gate, sharing: Instance) -> None:
    token = town.officer("vera")
    found = enrolled(town, token, "d" * 43, user_id=town.ids["vera"])
    met(gate, token, device=found)
    assert found.hash not in sharing.log.read_text()
    with connect(town.parts.mongo_url("operator"), app="test") as client:
        row = client["sharing"]["devices"].find_one({"_id": found.id})
        assert (row["secret_hash"], "code" in row) == (found.hash, False)
