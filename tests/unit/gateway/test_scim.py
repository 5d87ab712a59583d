"""What is read of SCIM: filters, whole resources, operations, as the large providers send them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.scim import reading, shapes
from gateway.scim.shapes import PATCH, USER, ScimRefusal
from services.contracts.errors import (
    FieldError,
    Invalid,
    InvalidTransition,
    Malformed,
    NotVisible,
    Stale,
    Unauthenticated,
)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (None, {}),
        ('userName eq "fiona@police.example"', {"username": "fiona@police.example"}),
        ('  USERNAME EQ "f"  ', {"username": "f"}),
        (f'{USER}:userName eq "f"', {"username": "f"}),
        (r'externalId eq "a\"b"', {"external_id": 'a"b'}),
    ],
)
def test_two_filters_are_understood(text: str | None, wanted: dict[str, str]) -> None:
    assert reading.sought(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "userName",
        'userName co "f"',
        'userName eq "f" or active eq true',
        'displayName eq "f"',
        "userName eq f",
        'userName eq ""',
        'userName eq "\\x"',
        'userName eq "f" ) ',
        r'userName eq "\ud800"',
    ],
)
def test_every_other_filter_is_refused_as_one(text: str) -> None:
    with pytest.raises(ScimRefusal) as refused:
        reading.sought(text)
    assert (refused.value.status, refused.value.scim_type) == (400, "invalidFilter")


@pytest.mark.parametrize(
    ("start", "count", "told"),
    [
        (None, None, (1, 100)),
        ("0", "0", (1, 0)),
        ("-3", "-1", (1, 0)),
        ("7", "5000", (7, 100)),
        ("9" * 30, "2", (1_000_000, 2)),
    ],
)
def test_what_is_too_small_or_too_large_is_brought_to_what_there_is(
    start: str | None, count: str | None, told: tuple[int, int]
) -> None:
    assert reading.span(start, count) == told


def operations(*each: Any) -> dict[str, Any]:
    return {"schemas": [PATCH], "Operations": list(each)}


@pytest.mark.parametrize(
    ("given", "changes"),
    [
        (operations({"op": "replace", "path": "active", "value": False}), {"active": False}),
        (operations({"op": "Replace", "path": "active", "value": "False"}), {"active": False}),  # Entra ID
        (operations({"op": "replace", "value": {"active": False}}), {"active": False}),  # Okta
        (operations({"op": "add", "path": f"{USER}:active", "value": True}), {"active": True}),
        (operations({"op": "add", "path": "externalId", "value": "x"}), {"external_id": "x"}),
        (operations({"op": "remove", "path": "externalId"}), {"external_id": None}),
        (
            operations(
                {"op": "replace", "path": "name.familyName", "value": "New"},
                {"op": "replace", "path": 'emails[type eq "work"].value', "value": "new@police.example"},
                {"op": "replace", "path": "active", "value": False},
            ),
            {"active": False},
        ),
        (
            {"schemas": [PATCH], "operations": [{"op": "replace", "path": "active", "value": True}]},
            {"active": True},
        ),
        (operations({"op": "replace", "path": "userName", "value": "another"}), {}),
        (operations({"op": "add", "path": "roles", "value": [{"value": "system_operator"}]}), {}),
    ],
)
def test_operations_come_to_what_they_change_here(given: Any, changes: dict[str, Any]) -> None:
    assert reading.operations(given) == changes


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"schemas": [PATCH]},
        {"Operations": []},
        operations(),
        operations("x"),
        operations({"op": "move", "path": "active", "value": False}),
        operations({"op": "replace", "value": "x"}),
        operations({"op": "remove"}),
        operations({"op": "remove", "path": "active"}),
        operations({"op": "replace", "path": "active", "value": "no"}),
        operations({"op": "replace", "path": "active", "value": None}),
        operations({"op": "replace", "path": "active", "value": 0}),
        operations({"op": "add", "path": "externalId", "value": "x" * 257}),
        operations({"op": "add", "path": "externalId", "value": ["x"]}),
        operations({"op": "add", "path": "externalId", "value": "\ud800"}),
        operations({"op": "replace", "path": ["active"], "value": False}),
        operations({"op": ["replace"], "path": "active", "value": False}),
        operations(*({"op": "replace", "path": "active", "value": False} for _ in range(101))),
    ],
)
def test_what_is_no_operation_changes_nothing(given: Any) -> None:
    with pytest.raises(ScimRefusal) as refused:
        reading.operations(given)
    assert refused.value.status == 400


def test_a_whole_resource_changes_what_it_mentions() -> None:
    assert reading.whole({"userName": "f", "active": False, "externalId": "x"}) == {
        "active": False,
        "external_id": "x",
    }
    assert reading.whole({"userName": "f", "roles": [{"value": "agency_admin"}]}) == {}


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'"x"', b"\xff", b"[" * 100_000, b'{"a":' * 100_000])
def test_what_is_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(ScimRefusal):
        reading.body(data)


@pytest.mark.parametrize(
    ("problem", "status", "kind"),
    [
        (Unauthenticated(), 401, None),
        (NotVisible(), 404, None),
        (Stale(), 412, None),
        (InvalidTransition(), 409, None),
        (Malformed(), 400, "invalidSyntax"),
        (Invalid(errors=(FieldError("/x", "wrong_form", "No."),)), 400, "invalidValue"),
        (Invalid(errors=(FieldError("/external_id", "taken", "Taken."),)), 409, "uniqueness"),
        (ScimRefusal(403, "No."), 403, None),
        (ScimRefusal(409, "There.", "uniqueness"), 409, "uniqueness"),
    ],
)
def test_a_refusal_is_said_as_scim_says_it(problem: Any, status: int, kind: str | None) -> None:
    told, body = shapes.refused(problem, "request-1")
    said = json.loads(body)
    assert (told, said["status"], said.get("scimType")) == (status, str(status), kind)
    assert said["schemas"] == [shapes.ERROR]
    assert said["detail"]
    assert said["request_id"] == "request-1"


def test_a_person_is_shown_without_roles_and_with_a_version() -> None:
    found = {
        "id": "u-1",
        "external_id": None,
        "username": "fiona",
        "name": "Fiona Officer",
        "email": "fiona@police.example",
        "active": True,
        "version": "v3",
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-02T00:00:00Z",
    }
    shown = shapes.user(found, "/api/v1/scim/v2")
    assert shown["meta"]["version"] == '"v3"'
    assert shown["meta"]["location"] == "/api/v1/scim/v2/Users/u-1"
    assert {"roles", "groups", "password", "externalId"}.isdisjoint(shown)


def test_what_can_be_done_is_said_as_it_is() -> None:
    said = shapes.config("/x")
    assert [name for name in ("patch", "filter", "etag") if said[name]["supported"]] == [
        "patch",
        "filter",
        "etag",
    ]
    assert not any(said[name]["supported"] for name in ("bulk", "changePassword", "sort"))
    (schema,) = shapes.schemas("/x")["Resources"]
    writable = [one["name"] for one in schema["attributes"] if one["mutability"] == "readWrite"]
    assert writable == ["active"]
    assert shapes.resource_types("/x")["Resources"][0]["schema"] == schema["id"] == USER
