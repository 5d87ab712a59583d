"""The API that is served is the API that is promised: every path and method, in valid documents."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from gateway.documents import __main__ as pages
from gateway.documents import asyncapi, openapi, permissions
from gateway.operations import Operation, Special
from gateway.routes import ROUTES
from services.contracts.permissions import PERMITS
from services.contracts.permissions.permit import Permit
from services.contracts.views import View

# Section 3 of the API's paper, as it stands there; a change here is a change for every client.
PROMISED = """
/sessions POST
/sessions/current GET DELETE
/sessions/challenges POST
/sessions/current/challenges POST
/sessions/current/step-ups POST
/activations POST
/me GET
/me/password PUT
/me/totp POST PUT
/me/passkeys GET POST
/me/passkeys/challenges POST
/me/passkeys/{} DELETE
/me/sessions GET
/me/sessions/{} DELETE
/me/consultations GET
/procedures GET POST
/procedures/current GET
/procedures/current/signatures POST
/agencies GET POST
/agencies/{} GET PATCH
/agencies/{}/transitions POST
/agencies/{}/identity-provider GET PUT DELETE
/scim/v2/Users GET POST
/scim/v2/Users/{} GET PUT PATCH DELETE
/scim/v2/ServiceProviderConfig GET
/scim/v2/ResourceTypes GET
/scim/v2/Schemas GET
/protocols GET POST
/protocols/{} GET PATCH
/protocols/{}/transitions POST
/users GET POST
/users/{} GET PATCH
/users/{}/resets POST
/users/{}/trainings GET POST
/teams GET POST
/teams/{} GET PATCH
/devices GET POST
/devices/enrolments POST
/devices/{} GET PATCH
/clients GET POST
/clients/{} GET PATCH DELETE
/clients/{}/secrets POST
/directory GET
/searches POST
/subjects GET POST
/subjects/{} GET PATCH
/subjects/{}/chronology GET
/subjects/{}/links GET POST
/subjects/{}/links/{} PATCH DELETE
/cases GET POST
/cases/{} GET PATCH
/cases/{}/transitions POST
/cases/{}/subjects/{} PUT DELETE
/cases/{}/entries GET POST
/cases/{}/entries/{} GET PATCH
/cases/{}/entries/{}/withdrawal POST
/cases/{}/tasks GET POST
/cases/{}/tasks/{} GET PATCH
/tasks GET
/cases/{}/shares GET POST
/cases/{}/shares/{} GET PATCH DELETE
/cases/{}/shares/preview POST
/cases/{}/transfers GET POST
/cases/{}/transfers/{} PATCH
/ownerless-cases GET
/cases/{}/access-requests GET POST
/cases/{}/access-requests/{} PATCH
/cases/{}/shares/{}/certifications POST
/certifications/shares GET
/certifications/users GET
/users/{}/certifications POST
/cases/{}/access GET
/cases/{}/consultations GET
/access/explain POST
/cases/{}/break-glass GET POST
/cases/{}/break-glass/{} PATCH
/cases/{}/conflicts GET POST
/cases/{}/conflicts/{} DELETE
/stream GET
/inbox GET
/inbox/{} PATCH
/inbox/read-marks POST
/subscriptions GET POST
/subscriptions/{} GET PATCH DELETE
/subscriptions/{}/deliveries GET
/subscriptions/{}/deliveries/{}/attempts POST
/audit/entries GET
/audit/entries/{} GET
/audit/entries/{}/proof GET
/audit/entries/{}/receipt GET
/audit/checkpoints GET
/audit/checkpoints/latest GET
/audit/cosignatures POST
/audit/consistency GET
/audit/keys GET
/audit/export GET
/audit/statements GET POST
/audit/statements/preview GET
/audit/statements/{} GET
/audit/reviews GET
/audit/reviews/{} PATCH
/audit/usage GET
"""

FOR_PAGES = {("notify", "count_unread")}
"""What only the web client asks."""


def _promised() -> dict[str, set[str]]:
    lines = (line.split() for line in PROMISED.strip().splitlines())
    return {path: set(methods) for path, *methods in lines}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    # As it is served: what JSON cannot say would not come through.
    served: dict[str, Any] = json.loads(json.dumps(openapi.document()))
    return served


def test_every_path_and_method_is_there_and_no_other(document: dict[str, Any]) -> None:
    found = {
        re.sub(r"\{\w+\}", "{}", path.removeprefix("/api/v1")): {verb.upper() for verb in methods}
        for path, methods in document["paths"].items()
        if path.startswith("/api/v1/")
    }
    assert found == _promised()
    assert {p for p in document["paths"] if not p.startswith("/api/")} == {
        "/livez",
        "/readyz",
        "/openapi.json",
        "/asyncapi.json",
    }


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    validate(document)  # type: ignore[arg-type]


def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in _operations(document)]
    assert len(names) == len(set(names))


def test_posts_that_change_something_need_a_key_and_others_do_not(document: dict[str, Any]) -> None:
    without = {
        "/sessions",
        "/sessions/challenges",
        "/searches",
        "/cases/{case_id}/shares/preview",
        "/access/explain",
        "/audit/cosignatures",  # a witness says the same again and again
        "/scim/v2/Users",  # SCIM has no such header; and nothing is made there
    }
    for path, verb, operation in _operations(document):
        wanted = verb == "post" and path.removeprefix("/api/v1") not in without
        assert ("Idempotency-Key" in _headers(operation)) is wanted, (verb, path)


def test_patch_and_put_need_if_match_where_there_is_something_to_get(document: dict[str, Any]) -> None:
    for path, verb, operation in _operations(document):
        if verb in ("patch", "put") and "/scim/" not in path:  # SCIM leaves it to the client
            gettable = "get" in document["paths"][path] or path.endswith("/subjects/{subject_id}")
            assert ("If-Match" in _headers(operation)) is gettable, (verb, path)


def test_what_becomes_a_header_is_in_no_body(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert not {"etag", "disclosed"} & schema.get("properties", {}).keys(), name


def test_every_schema_is_one(document: dict[str, Any]) -> None:
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_every_method_that_a_user_may_ask_for_has_a_path() -> None:
    asked = {ask for route in ROUTES for entry in route.methods.values() for ask in _asks(entry)}
    permitted = {(service, method) for service, methods in PERMITS.items() for method in methods}
    openly = {("sharing", "log_in"), ("sharing", "begin_log_in"), ("sharing", "activate")}
    assert asked - openly == permitted - FOR_PAGES


def test_a_level_on_a_case_is_asked_for_exactly_where_the_path_names_one() -> None:
    for route in ROUTES:
        for entry in route.methods.values():
            if isinstance(entry, Operation):
                permit: Permit = PERMITS[entry.service][entry.method]
                assert (permit.level is not None) is ("case_id" in route.ids), route.path


def test_every_answer_is_a_view() -> None:
    for route in ROUTES:
        for entry in route.methods.values():
            if isinstance(entry, Operation):
                assert issubclass(entry.reply, View), entry.method


def test_the_events_document_names_every_event() -> None:
    made = json.loads(json.dumps(asyncapi.document()))
    assert made["asyncapi"] == "3.0.0"
    assert len(made["components"]["messages"]) == 17
    assert set(made["channels"]["webhook"]["messages"]) - set(made["channels"]["stream"]["messages"]) == {
        "checkpoint_signed"
    }
    for channel in made["channels"].values():
        for message in channel["messages"].values():
            assert message["$ref"].rpartition("/")[2] in made["components"]["messages"]
    assert "sequence" not in made["components"]["schemas"]["ThinEvent"]["required"]


def test_the_page_of_permissions_is_up_to_date() -> None:
    assert pages.main(["--check"]) == 0, "run: python -m gateway.documents"


def test_the_page_of_permissions_has_a_row_for_every_method() -> None:
    rows = [line for line in permissions.document().splitlines() if re.match(r"\| [A-Z]+ \| `", line)]
    assert len(rows) == sum(len(route.methods) for route in ROUTES)
    assert len({row.count("|") for row in rows}) == 1


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for verb, operation in methods.items():
            yield path, verb, operation


def _headers(operation: dict[str, Any]) -> set[str]:
    return {one["name"] for one in operation.get("parameters", ()) if one["in"] == "header"}


def _asks(entry: object) -> tuple[tuple[str, str], ...]:
    if isinstance(entry, Operation):
        return ((entry.service, entry.method),)
    return entry.asks if isinstance(entry, Special) else ()
