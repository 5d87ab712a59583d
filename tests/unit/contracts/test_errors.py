"""Errors have two faces: what crosses a boundary is public, what is private stays."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts import errors
from services.contracts.error_wire import from_wire
from services.contracts.errors import (
    Busy,
    ConcordatError,
    FieldError,
    Internal,
    Invalid,
    Malformed,
    NotVisible,
    RateLimited,
    Stale,
    Unavailable,
    registered,
)

ERRORS = sorted(registered().items())
CONTRACTED = {
    "malformed": 400,
    "idempotency_key_required": 400,
    "unauthenticated": 401,
    "refused": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "invalid_transition": 409,
    "request_in_progress": 409,
    "stale": 412,
    "too_large": 413,
    "unsupported_type": 415,
    "invalid": 422,
    "idempotency_key_reused": 422,
    "if_match_required": 428,
    "rate_limited": 429,
    "internal": 500,
    "not_built": 501,
    "unavailable": 503,
    "deadline_expired": 503,
    "busy": 503,
    "unknown_service": 503,
    "unknown_method": 503,
    "link_down": 503,
    "provider_away": 503,
    "log_damaged": 503,
    "bad_credentials": 401,
    "totp_required": 401,
    "passkey_required": 401,
    "sign_in_failed": 401,
    "account_disabled": 403,
    "protocol_not_active": 403,
    "protocol_expired": 403,
    "agency_suspended": 403,
    "procedure_unsigned": 403,
    "procedure_missing": 403,
    "totp_not_enrolled": 403,
    "password_change_required": 403,
    "role_required": 403,
    "not_owner": 403,
    "level_too_low": 403,
    "reason_required": 403,
    "training_required": 403,
    "network_not_permitted": 403,
    "device_not_permitted": 403,
    "step_up_required": 403,
    "csrf_required": 403,
    "procedure_superseded": 409,
    "case_closed": 409,
    "already_exists": 409,
    "passkey_not_enrolled": 409,
    "own_glass": 403,
    "owner_has_conflict": 409,
    "cannot_be_named": 422,
    "agency_not_active": 422,
    "purpose_not_in_protocol": 422,
    "gateway_not_for_recipient": 422,
    "member_not_in_agency": 422,
    "expiry_beyond_protocol": 422,
    "consent_reason_required": 422,
    "section_not_for_side": 422,
    "assignee_without_access": 422,
    "url_not_allowed": 422,
}
SECRET = "Margaret Hollis, 4 Elm Row"


def test_codes_and_statuses_are_stable() -> None:
    assert {code: kind.status for code, kind in ERRORS} == CONTRACTED


def test_the_tree_that_the_module_draws_is_the_one_that_there_is() -> None:
    drawn = set[tuple[str, str]]()
    _, *branches = re.split("[├└]── ", errors.__doc__ or "")
    for branch in branches:
        head, _, rest = branch.partition("──")
        general, status = head.split()[:2]
        drawn.add((f"ConcordatError {status}", general))
        for name, inner in re.findall(r"(\w+)(?: \((\w+)\))?", rest):
            drawn |= {(general, name), *({(name, inner)} if inner else set())}

    assert drawn == {
        (f"ConcordatError {kind.status}" if base is ConcordatError else base.__name__, kind.__name__)
        for _, kind in ERRORS
        for base in kind.__bases__
    }


@pytest.mark.parametrize(("code", "kind"), ERRORS)
def test_an_error_comes_back_as_itself_and_without_its_cause(code: str, kind: type[ConcordatError]) -> None:
    field = FieldError("/text", "too_long", "This text is too long.")
    sent = kind(cause=SECRET, errors=(field,), retry_after=7, clause="P-12")

    wire = json.dumps(sent.to_wire())
    received = from_wire(json.loads(wire))

    assert SECRET not in wire
    assert type(received) is kind
    assert (received.code, received.status) == (code, kind.status)
    assert (received.errors, received.retry_after, received.clause) == ((field,), 7, "P-12")
    assert received.cause is None


@pytest.mark.parametrize(("code", "kind"), ERRORS)
def test_a_problem_is_of_rfc_9457_and_without_the_cause(code: str, kind: type[ConcordatError]) -> None:
    problem = kind(cause=SECRET, clause="P-12").to_problem("r-1")

    assert SECRET not in json.dumps(problem)
    assert problem["status"] == kind.status
    assert problem["title"] == registered()[problem["code"]].title
    assert problem["request_id"] == "r-1"
    assert problem["clause"] == "P-12"
    assert problem["type"] == f"urn:concordat:problem:{problem['code']}"


@pytest.mark.parametrize(("code", "kind"), ERRORS)
def test_nothing_that_is_printed_shows_the_cause(code: str, kind: type[ConcordatError]) -> None:
    error = kind(cause=SECRET)
    assert SECRET not in f"{error} {error!r} {error.args}"


def test_clients_see_one_code_for_everything_unavailable() -> None:
    inner = [kind for _, kind in ERRORS if issubclass(kind, Unavailable)]
    assert len(inner) == 8
    assert {kind().to_problem("r")["code"] for kind in inner} == {"unavailable"}
    assert {kind().to_wire()["code"] for kind in inner} == {kind.code for kind in inner}


def test_what_may_be_tried_again_says_when() -> None:
    assert Unavailable().retry_after == Busy().retry_after == RateLimited().retry_after == 1
    assert Unavailable(retry_after=0).retry_after == 0
    assert NotVisible().retry_after is None


def test_a_general_class_may_carry_a_particular_code() -> None:
    assert NotVisible(code="team_gone").to_wire()["code"] == "team_gone"


def test_a_code_belongs_to_one_class() -> None:
    with pytest.raises(TypeError):
        type("Other", (Stale,), {}, code="stale")


@pytest.mark.parametrize(
    ("status", "general"),
    [
        (400, Malformed),
        (404, NotVisible),
        (412, Stale),
        (418, Malformed),
        (422, Invalid),
        (500, Unavailable),
        (503, Unavailable),
        (599, Unavailable),
        (200, Unavailable),
        (None, Unavailable),
        ("404", Unavailable),
    ],
)
def test_an_unknown_code_keeps_its_code_in_the_nearest_class(
    status: object, general: type[ConcordatError]
) -> None:
    received = from_wire({"code": "moved_to_wales", "status": status})
    assert type(received) is general
    assert received.code == "moved_to_wales"


def test_internal_is_known_by_its_code_not_by_its_status() -> None:
    assert type(from_wire(Internal().to_wire())) is Internal


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
wire_like = st.fixed_dictionaries(
    {},
    optional={
        "code": json_values | st.sampled_from(sorted(CONTRACTED)),
        "status": json_values | st.integers(0, 999),
        "errors": json_values | st.lists(st.dictionaries(st.sampled_from(["pointer", "code"]), json_values)),
        "retry_after": json_values,
        "clause": json_values,
    },
)


@given(json_values | wire_like)
def test_whatever_arrives_becomes_an_error_that_can_be_passed_on(message: object) -> None:
    received = from_wire(message)
    again = from_wire(received.to_wire())
    assert (type(again), again.code, again.errors) == (type(received), received.code, received.errors)
    assert 400 <= received.to_problem("r")["status"] <= 599


def test_all_kinds_of_unavailable_look_the_same_to_a_client() -> None:
    kinds = [kind for _, kind in ERRORS if issubclass(kind, Unavailable)]
    faces = [kind().to_problem("r") for kind in kinds]
    assert len(kinds) == 8
    assert all(face == faces[0] for face in faces)
