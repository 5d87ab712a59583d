"""Passkeys as a second factor, against a running `sharing` and a key in software."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyotp
import pytest

from services.chassis.mongo import connect
from services.contracts.errors import ConcordatError
from services.contracts.messages import Request
from services.contracts.sharing.account import ConfirmTotp, GetMe, StartTotp, TotpCode
from services.contracts.sharing.passkeys import (
    AddPasskey,
    BeginLogIn,
    BeginPasskey,
    BeginStepUp,
    ListPasskeys,
    PasskeyCredentials,
    RemovePasskey,
)
from services.contracts.sharing.people import ResetUser
from services.contracts.sharing.sessions import Credentials, GetCurrentSession, LogIn, StepUp, StepUpBody
from tests.authenticator import PRESENT, Authenticator
from tests.cell import Parts
from tests.integration.calling import Calling, Instance
from tests.integration.sharing_gate import Gate, begin_anew, sharing_alone
from tests.integration.test_sharing_identity import PASSWORD, Town, code_of


@pytest.fixture(scope="module")
def sharing(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    begin_anew(parts)
    with sharing_alone(parts, tmp_path_factory.mktemp("sharing")) as one:
        yield one


@pytest.fixture(scope="module")
def town(sharing: Instance, calling: Calling, parts: Parts) -> Town:
    return Town(Gate(calling), parts)


class Person:
    """Somebody new, whose only second factor is a passkey."""

    def __init__(self, town: Town, *, key: Authenticator | None = None) -> None:
        self.town, self.gate, self.name = town, town.gate, f"p{uuid.uuid4().hex[:8]}"
        self.token = town.first(self.name, town.police, "practitioner", by=town.admin)
        self.id = town.ids[self.name]
        self.key = key or Authenticator()

    def add(self, key: Authenticator | None = None, **more: Any) -> Any:
        return self.tell("add_passkey", AddPasskey(passkey=(key or self.key).create(self.begin())), **more)

    def begin(self) -> Any:
        return self.tell("begin_passkey", BeginPasskey())

    def tell(self, method: str, request: Request, **more: Any) -> Any:
        return self.gate.tell(self.token, method, request, **more)

    def asked(self, password: str = PASSWORD) -> Any:
        credentials = PasskeyCredentials(username=self.name, password=password)
        return self.gate.calling.ask("sharing.begin_log_in", BeginLogIn(credentials=credentials))

    def log_in(self, passkey: Any = None) -> Any:
        given = passkey or self.key.get(self.asked())
        return self.gate.log_in(username=self.name, password=PASSWORD, passkey=given)

    def step_up(self, passkey: Any = None, **more: Any) -> Any:
        given = passkey or self.key.get(self.tell("begin_step_up", BeginStepUp()))
        return self.tell("step_up", StepUp(step_up=StepUpBody(passkey=given)), **more)

    @property
    def must(self) -> Any:
        return self.gate.ask(self.token, "current_session", GetCurrentSession())["must"]

    @property
    def items(self) -> Any:
        return self.gate.ask(self.token, "list_passkeys", ListPasskeys())["items"]

    def row(self) -> Any:
        with connect(self.town.parts.mongo_url("operator"), app="test") as client:
            return client["sharing"]["users"].find_one({"_id": self.id})


@pytest.fixture
def person(town: Town) -> Person:
    """Enrolled and signed."""
    one = Person(town)
    one.add()
    town.sign(one.token)
    return one


def refused(act: Any, *given: Any, **more: Any) -> str:
    """The code, or that of the wrong field."""
    with pytest.raises(ConcordatError) as problem:
        act(*given, **more)
    errors = problem.value.errors
    return errors[0].code if errors else code_of(problem)


def test_a_passkey_is_a_second_factor_like_an_authenticator(town: Town) -> None:
    new = Person(town)
    assert new.must == ["enrol_totp", "sign_procedure"]
    asked = new.begin()
    assert (asked["rp_id"], asked["algorithms"], asked["user"]["name"]) == (
        "localhost",
        [-7, -8, -257],
        new.name,
    )
    answer = AddPasskey(passkey=new.key.create(asked, name="Blue key"))
    made = new.tell("add_passkey", answer, key="enrolled-once")
    assert new.tell("add_passkey", answer, key="enrolled-once") == made
    assert (made["name"], made["last_used_at"]) == ("Blue key", None)
    assert new.must == ["sign_procedure"]
    assert new.gate.ask(new.token, "me", GetMe())["second_factors"] == ["passkey"]
    assert refused(new.gate.log_in, username=new.name, password=PASSWORD) == "passkey_required"
    assert refused(new.gate.log_in, username=new.name, password=PASSWORD, totp="123456") == "bad_credentials"
    assert new.log_in()["must"] == ["sign_procedure"]
    (listed,) = new.items
    assert listed["last_used_at"] is not None
    assert set(listed) == {"id", "name", "created_at", "last_used_at"}


def test_only_who_has_the_password_is_told_of_passkeys(person: Person, town: Town) -> None:
    assert refused(person.asked, "not this one at all") == "bad_credentials"
    assert len(person.asked()["credential_ids"]) == 1
    town.officer(name := f"t{uuid.uuid4().hex[:8]}")
    credentials = PasskeyCredentials(username=name, password=PASSWORD)
    begin = BeginLogIn(credentials=credentials)
    assert refused(town.gate.calling.ask, "sharing.begin_log_in", begin) == "passkey_not_enrolled"
    assert refused(town.gate.log_in, username=name, password=PASSWORD) == "totp_required"


def test_an_answer_is_good_once_and_for_what_was_asked(town: Town) -> None:
    person = Person(town, key=Authenticator(count=None))  # no counter: nothing else refuses it
    person.add()
    town.sign(person.token)
    answer = person.key.get(person.asked())
    person.log_in(answer)
    assert refused(person.log_in, answer) == "bad_credentials"
    for_step_up = person.key.get(person.tell("begin_step_up", BeginStepUp()))
    assert refused(person.log_in, for_step_up) == "bad_credentials"
    assert refused(person.step_up, person.key.get(person.asked())) == "passkey_not_valid"
    assert refused(person.step_up, answer) == "passkey_not_valid"
    assert person.step_up()["until"]
    elsewhere = person.key.get(person.tell("begin_step_up", BeginStepUp()))
    person.token = person.log_in()["token"]
    assert refused(person.step_up, elsewhere) == "passkey_not_valid"
    assert person.step_up()["until"]
    to_enrol = person.key.get(person.begin())
    assert refused(person.step_up, to_enrol) == "passkey_not_valid"


def test_a_wrong_answer_uses_its_question_up(person: Person) -> None:
    asked = person.asked()
    person.key.flags = PRESENT
    assert refused(person.log_in, person.key.get(asked)) == "bad_credentials"
    person.key.flags = Authenticator().flags
    assert refused(person.log_in, person.key.get(asked)) == "bad_credentials"
    assert person.log_in()


def test_nobody_logs_in_with_anothers(person: Person, town: Town) -> None:
    other = Person(town)
    other.add()
    assert refused(other.log_in, other.key.get(person.asked())) == "bad_credentials"
    assert refused(other.log_in, person.key.get(other.asked())) == "bad_credentials"
    assert refused(other.log_in, person.key.get(person.asked())) == "bad_credentials"
    assert other.log_in()


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://localhost.evil.example"},
        {"rp_id": "evil.example"},
        {"flags": PRESENT},
        {"more": {"crossOrigin": True}},
        {"key": Authenticator().key},
    ],
    ids=" ".join,
)
def test_what_is_not_right_opens_nothing(person: Person, wrong: Any) -> None:
    before = dict(vars(person.key))
    vars(person.key).update(wrong)
    assert refused(person.log_in) == "bad_credentials"
    assert refused(person.step_up) == "passkey_not_valid"
    vars(person.key).update({**before, "count": person.key.count})
    assert person.log_in()


def test_a_counter_that_goes_back_is_refused_and_called_out(person: Person) -> None:
    copied = replace(person.key)
    for _ in range(2):
        person.log_in()
    assert refused(person.log_in, copied.get(person.asked())) == "bad_credentials"
    asked = person.tell("begin_step_up", BeginStepUp())
    assert refused(person.step_up, copied.get(asked)) == "passkey_not_valid"
    assert person.row()["passkeys"][0]["sign_count"] == 2
    assert person.log_in()


def test_the_same_log_in_delivered_twice_is_one(person: Person) -> None:
    answer = person.key.get(person.asked())
    credentials = Credentials(username=person.name, password=PASSWORD, passkey=answer)
    request = LogIn(credentials=credentials, attempt=uuid.uuid4().hex)
    first, second = [person.gate.calling.ask("sharing.log_in", request) for _ in range(2)]
    assert first == second
    assert refused(person.gate.calling.ask, "sharing.log_in", request.model_copy(update={"attempt": "other"}))


def test_a_passkey_steps_up_its_session_once(person: Person) -> None:
    other = person.log_in()["token"]
    answer = person.key.get(person.tell("begin_step_up", BeginStepUp()))
    first = person.step_up(answer, key="stepped-once")
    assert person.step_up(answer, key="stepped-once") == first
    assert refused(person.step_up, answer) == "passkey_not_valid"
    until = person.gate.ask(person.token, "current_session", GetCurrentSession())["stepped_up_until"]
    assert until == first["until"]
    assert person.gate.ask(other, "current_session", GetCurrentSession())["stepped_up_until"] is None
    for body in (StepUpBody(), StepUpBody(code="123456", passkey=answer)):
        assert refused(person.tell, "step_up", StepUp(step_up=body)) == "required"
    assert refused(person.tell, "step_up", StepUp(step_up=StepUpBody(code="123456"))) == "wrong_code"


def test_second_factors_are_changed_by_who_has_shown_one_just_now(person: Person) -> None:
    assert refused(person.begin) == "step_up_required"
    assert refused(person.tell, "start_totp", StartTotp()) == "step_up_required"
    (first,) = person.items
    remove = RemovePasskey(passkey_id=first["id"])
    assert refused(person.tell, "remove_passkey", remove) == "step_up_required"
    person.step_up()
    assert refused(person.tell, "remove_passkey", remove) == "invalid_transition"  # the last, and one must be
    spare = Authenticator()
    assert len(person.begin()["credential_ids"]) == 1
    person.add(spare)
    assert refused(person.tell, "remove_passkey", RemovePasskey(passkey_id="never-was")) == "not_found"
    person.tell("remove_passkey", remove)
    assert refused(person.log_in) == "bad_credentials"
    person.key = spare
    assert person.log_in()
    assert person.tell("start_totp", StartTotp())["secret"]


def test_a_session_that_a_password_alone_began_ends_with_the_first_second_factor(town: Town) -> None:
    for enrol in (Person.add, lambda person: town.enrol(person.name, person.token)):
        person = Person(town)
        other = person.gate.log_in(username=person.name, password=PASSWORD)["token"]
        assert person.gate.ask(other, "me", GetMe())["second_factors"] == []
        enrol(person)
        assert refused(person.gate.ask, other, "me", GetMe()) == "unauthenticated"
        assert person.must == ["sign_procedure"]


def test_what_was_begun_without_a_second_factor_adds_none_beside_the_first(town: Town) -> None:
    person = Person(town)
    asked, secret = person.begin(), person.tell("start_totp", StartTotp())["secret"]
    person.add()
    town.sign(person.token)
    beside = AddPasskey(passkey=Authenticator().create(asked))
    assert refused(person.tell, "add_passkey", beside) == "step_up_required"
    confirm = ConfirmTotp(confirmation=TotpCode(code=pyotp.TOTP(secret).now()))
    assert refused(person.tell, "confirm_totp", confirm) == "invalid_transition"
    person.step_up()
    assert refused(person.tell, "confirm_totp", confirm) == "invalid_transition"
    assert person.tell("add_passkey", beside)
    assert person.gate.ask(person.token, "me", GetMe())["second_factors"] == ["passkey"]


def test_who_removes_a_passkey_ends_the_sessions_that_it_may_have_begun(person: Person) -> None:
    person.step_up()
    person.add(Authenticator())
    other = person.log_in()["token"]
    remove = RemovePasskey(passkey_id=person.items[0]["id"])
    for _ in range(2):
        person.tell("remove_passkey", remove, key="removed-once")
    assert refused(person.gate.ask, other, "me", GetMe()) == "unauthenticated"
    assert len(person.items) == 1


def test_a_credential_is_one_accounts_and_a_challenge_one_sessions(person: Person, town: Town) -> None:
    other = Person(town, key=person.key)
    assert refused(other.add) == "passkey_not_valid"
    other.key = Authenticator()
    asked = other.begin()
    third = Person(town)
    theirs = AddPasskey(passkey=third.key.create(asked))
    assert refused(third.tell, "add_passkey", theirs) == "passkey_not_valid"
    good = AddPasskey(passkey=other.key.create(asked))
    assert other.tell("add_passkey", good)
    town.sign(other.token)
    other.step_up()
    assert refused(other.tell, "add_passkey", good) == "passkey_not_valid"


def test_there_are_ten_at_most(person: Person) -> None:
    person.step_up()
    asked = person.begin()
    for _ in range(9):
        person.add(Authenticator())
    assert refused(person.begin) == "too_many_passkeys"
    last = AddPasskey(passkey=Authenticator().create(asked))
    assert refused(person.tell, "add_passkey", last) == "too_many_passkeys"
    assert len(person.items) == 10


def test_a_reset_removes_them(person: Person, town: Town) -> None:
    told = town.gate.tell(town.admin, "reset_user", ResetUser(user_id=person.id))
    assert person.row()["passkeys"] == []
    town.gate.activate(told["activation_token"], PASSWORD)
    assert town.gate.log_in(username=person.name, password=PASSWORD)["must"] == ["enrol_totp"]
    assert refused(person.asked) == "passkey_not_enrolled"


def test_wrong_answers_are_tried_as_often_as_passwords(person: Person) -> None:
    answer = person.key.get(person.tell("begin_step_up", BeginStepUp()))
    person.step_up(answer)
    codes = [refused(person.step_up, answer) for _ in range(11)]
    assert codes == ["passkey_not_valid"] * 10 + ["rate_limited"]
    assert refused(person.asked) == "rate_limited"
