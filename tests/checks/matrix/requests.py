"""A well-formed request for every method of every path: what is judged is who asks, not what."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.checks.matrix.world import World

Body = Callable[[World], Any]
_NOW = datetime.now(UTC).replace(microsecond=0)
_SOON = (_NOW + timedelta(days=20)).isoformat()
_DAY = (_NOW + timedelta(days=20)).date().isoformat()


def _fresh(name: str) -> str:
    return f"{name} {uuid.uuid4().hex[:8]}"


def _user(world: World) -> Any:
    username = f"m.{uuid.uuid4().hex[:10]}"
    return {
        "username": username,
        "name": "Matrix Person",
        "email": f"{username}@thirteen.example",
        "agency_id": world.ids["agency_id"],
        "team_ids": [],
        "roles": [{"role": "practitioner"}],
    }


def _protocol(world: World) -> Any:
    person = {"name": "Somebody", "email": "somebody@opcc.example"}
    gateway = {"code": "consent", "name": "Consent", "recipient_types": ["police"]}
    return {
        "title": _fresh("Protocol"),
        "parties": [world.ids["agency_id"]],
        "purposes": [{"code": "asb", "name": "ASB", "legal_gateways": [gateway]}],
        "data_categories": ["identity"],
        "starts_on": _NOW.date().isoformat(),
        "ends_on": _DAY,
        "review_on": _DAY,
        "spoc": person,
        "dpo": person,
    }


BODIES: dict[tuple[str, str], Body] = {
    ("POST", "/sessions"): lambda _: {
        "username": f"nobody.{uuid.uuid4().hex[:8]}",
        "password": "wrong-password-12",
    },
    ("POST", "/sessions/challenges"): lambda _: {
        "username": f"nobody.{uuid.uuid4().hex[:8]}",
        "password": "wrong-password-12",
    },
    ("POST", "/activations"): lambda _: {"token": "x" * 43, "password": "harbour-lintel-8-plum"},
    ("PUT", "/me/password"): lambda _: {"current": "not-this-one-123", "new": "harbour-lintel-8-plum"},
    ("POST", "/me/totp"): lambda _: {},
    ("PUT", "/me/totp"): lambda _: {"code": "000000"},
    ("POST", "/me/passkeys"): lambda _: {
        "challenge_id": "never-asked",
        "name": "Key",
        "credential_id": "AA",
        "client_data": "AA",
        "attestation": "AA",
    },
    ("POST", "/me/passkeys/challenges"): lambda _: {},
    ("POST", "/sessions/current/challenges"): lambda _: {},
    ("POST", "/procedures"): lambda _: {
        "title": "Draft for the matrix",
        "clauses": [{"no": "1", "heading": "One", "text": "Text."}],
        "effective_from": (_NOW + timedelta(days=400)).isoformat(),
        "sign_by": (_NOW + timedelta(days=430)).isoformat(),
    },
    ("POST", "/procedures/current/signatures"): lambda _: {"version": 1, "sha256": "0" * 64},
    ("POST", "/agencies"): lambda _: {"name": _fresh("Agency"), "type": "vcse", "area": "Cleveland"},
    ("PATCH", "/agencies/{}"): lambda _: {"area": "Cleveland"},
    ("POST", "/agencies/{}/transitions"): lambda _: {"to": "proposed", "reason": "matrix"},
    ("PUT", "/agencies/{}/identity-provider"): lambda _: {
        "alias": "matrix",
        "issuer": "https://id.example.org",
        "client_id": "concordat",
        "client_secret": "matrix-matrix-matrix",
        "passwords": "allowed",  # the players go on logging in
    },
    ("POST", "/scim/v2/Users"): lambda _: {"userName": f"nobody.{uuid.uuid4().hex[:8]}"},
    ("PUT", "/scim/v2/Users/{}"): lambda _: {"active": True},
    ("PATCH", "/scim/v2/Users/{}"): lambda _: {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "active", "value": True}],
    },
    ("POST", "/protocols"): _protocol,
    ("PATCH", "/protocols/{}"): lambda _: {"review_on": _DAY},
    ("POST", "/protocols/{}/transitions"): lambda _: {"to": "draft", "reason": "matrix"},
    ("POST", "/users"): _user,
    ("PATCH", "/users/{}"): lambda _: {"job_title": "Housing Officer"},
    ("POST", "/users/{}/resets"): lambda _: {},
    ("POST", "/sessions/current/step-ups"): lambda _: {"code": "000000"},
    ("POST", "/users/{}/trainings"): lambda _: {
        "use": "vemt",
        "completed_on": (_NOW - timedelta(days=2)).date().isoformat(),
        "expires_on": _DAY,
    },
    ("POST", "/devices"): lambda _: {"name": _fresh("Device"), "class": "managed"},
    ("POST", "/devices/enrolments"): lambda _: {"code": "AAAA-BBBB-CCCC"},
    ("PATCH", "/devices/{}"): lambda _: {"name": _fresh("Device")},
    ("POST", "/teams"): lambda world: {"agency_id": world.ids["agency_id"], "name": _fresh("Team")},
    ("PATCH", "/teams/{}"): lambda _: {"name": _fresh("Team")},
    ("POST", "/clients"): lambda world: {
        "agency_id": world.ids["agency_id"],
        "name": _fresh("Client"),
        "accountable_user_id": world.ids["accountable_id"],
        "scopes": ["cases:read"],
        "expires_at": _SOON,
    },
    ("PATCH", "/clients/{}"): lambda _: {"name": _fresh("Client")},
    ("POST", "/clients/{}/secrets"): lambda _: {},
    ("POST", "/searches"): lambda _: {"in": "cases", "text": "matrix"},
    ("POST", "/subjects"): lambda world: {"kind": "family", "name": "Matrix", "team_id": world.team_id},
    ("PATCH", "/subjects/{}"): lambda _: {"names": [{"given": "M", "family": "Matrix", "type": "legal"}]},
    ("POST", "/subjects/{}/links"): lambda world: {
        "kind": "resides_at",
        "to_subject_id": world.ids["other_subject_id"],
        "source": "matrix",
    },
    ("PATCH", "/subjects/{}/links/{}"): lambda _: {"source": "matrix"},
    ("POST", "/cases"): lambda world: {
        "template": "complex_asb",
        "title": "Matrix",
        "priority": "low",
        "marking": "official",
        "owner_team_id": None,
        "subjects": [],
    },
    ("PATCH", "/cases/{}"): lambda _: {"priority": "medium"},
    ("POST", "/cases/{}/transitions"): lambda _: {"to": "assessment", "reason": "matrix"},
    ("PUT", "/cases/{}/subjects/{}"): lambda _: {"role": "victim"},
    ("POST", "/cases/{}/entries"): lambda _: {
        "type": "note",
        "occurred_at": _NOW.isoformat(),
        "text": "matrix",
    },
    ("PATCH", "/cases/{}/entries/{}"): lambda _: {"text": "matrix", "reason": "matrix"},
    ("POST", "/cases/{}/entries/{}/withdrawal"): lambda _: {"reason": "matrix"},
    ("POST", "/cases/{}/tasks"): lambda world: {
        "title": "Matrix",
        "assignee": {"user_id": world.ids["user_id"]},
        "due_on": _DAY,
    },
    ("PATCH", "/cases/{}/tasks/{}"): lambda _: {"due_on": _DAY},
    ("POST", "/cases/{}/shares"): lambda world: world.share_body,
    ("POST", "/cases/{}/shares/preview"): lambda world: world.share_body,
    ("PATCH", "/cases/{}/shares/{}"): lambda _: {"note": "matrix"},
    ("POST", "/cases/{}/transfers"): lambda world: {
        "to_user_id": world.ids["user_id"],
        "reason": "matrix",
    },
    ("POST", "/cases/{}/access-requests"): lambda _: {"reason": "matrix"},
    ("PATCH", "/cases/{}/access-requests/{}"): lambda _: {"state": "declined"},
    ("PATCH", "/cases/{}/transfers/{}"): lambda _: {"state": "cancelled"},
    ("POST", "/access/explain"): lambda world: {
        "user_id": world.ids["user_id"],
        "case_id": world.ids["case_id"],
        "action": "read",
    },
    ("POST", "/cases/{}/break-glass"): lambda _: {"reason": "matrix"},
    ("PATCH", "/cases/{}/break-glass/{}"): lambda _: {"decision": "justified", "reason": "matrix"},
    ("POST", "/cases/{}/conflicts"): lambda world: {
        "user_id": world.ids["user_id"],
        "kind": "other",
        "reason": "matrix",
    },
    ("POST", "/audit/cosignatures"): lambda _: {"note": "no note", "verifier_key": "no key"},
    ("PATCH", "/inbox/{}"): lambda _: {"read": True},
    ("POST", "/inbox/read-marks"): lambda _: {"up_to": str(uuid.UUID(int=7 << 76 | 8 << 60))},
    ("POST", "/subscriptions"): lambda world: {
        "client_id": world.ids["client_id"],
        "transport": "webhook",
        "url": "http://127.0.0.1:9/events",
        "types": ["*"],
    },
    ("PATCH", "/subscriptions/{}"): lambda _: {"types": ["*"]},
    ("POST", "/audit/statements"): lambda world: {"subject_id": world.ids["subject_id"]},
    ("PATCH", "/audit/reviews/{}"): lambda _: {"decision": "expected", "reason": "matrix"},
}
"""Bodies of those that have one; the rest have none, or are not built and take any."""

_QUERIES = {
    "/directory": "agency_id={agency_id}",
    "/audit/consistency": "from=0&to=1",
    "/audit/statements/preview": "subject_id={subject_id}",
    "/audit/usage": "from=2026-01-01&to=2026-01-31",
    "/cases/{}/shares/{}": "reason=other",
}
TAGGED = frozenset({"PATCH", "PUT"})


def shape(path: str) -> str:
    """A route's path as the oracle writes it: without the prefix, ids as {}."""
    return re.sub(r"\{\w+\}", "{}", path.removeprefix("/api/v1"))


def place(method: str, path: str, world: World, *, case_id: str | None = None) -> str:
    """A route's path with real ids in it; another case's if one is named."""
    ids = {**world.ids, **({"case_id": case_id} if case_id else {})}
    found = re.sub(
        r"\{(\w+)\}", lambda match: ids.get(match[1], str(uuid.uuid4())), path.removeprefix("/api/v1")
    )
    query = _QUERIES.get(shape(path), "") if method in {"GET", "DELETE"} else ""
    if shape(path) == "/cases/{}/shares/{}" and method == "GET":
        query = ""
    return f"{found}?{query.format(**ids)}" if query else found


def body(method: str, path: str, world: World) -> Any:
    make = BODIES.get((method, shape(path)))
    if make is not None:
        return make(world)
    return {} if method in {"POST", "PUT", "PATCH"} else None
