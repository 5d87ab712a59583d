"""What `api.md` says each caller must be told. Written from that page, not from the product's own tables.

A cell's answer is one of: `passed` (whatever the request itself came to: 2xx, 409, 412, 422), or a refusal by
code.
"""

from __future__ import annotations

from dataclasses import dataclass, field

USERS = frozenset(
    {
        "practitioner",
        "light_participant",
        "supervisor",
        "agency_admin",
        "agency_dpo",
        "partnership_dpo",
        "security_manager",
        "programme_manager",
        "governance_member",
        "system_operator",
    }
)
CASEWORK = frozenset({"practitioner", "supervisor"})
TASKWORK = CASEWORK | {"light_participant"}
GLASS = ("POST", "/cases/{}/break-glass")
"""The one exception to V7: who works on cases opens one that it may not know of, and is recorded."""
ANSWERABLE = frozenset({("GET", "/cases/{}/break-glass"), ("PATCH", "/cases/{}/break-glass/{}")})
"""Also for the officer of the whole partnership, who may know of the case without seeing it."""
RANK = {"know": 0, "task": 1, "read": 2, "contribute": 3, "manage": 4, "own": 5}


@dataclass(frozen=True)
class Actor:
    """Who asks. `level`: what he has on the case; None: it is not visible to him. `concerned`: his agency
    has, or had, to do with it, and the person of `/access/explain` is of it."""

    name: str
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    level: str | None = None
    client: bool = False
    signed: bool = True
    known: bool = True
    concerned: bool = False


@dataclass(frozen=True)
class Rule:
    """Who may ask for one method of one path."""

    roles: frozenset[str] = USERS
    scopes: frozenset[str] = frozenset()
    level: str | None = None
    before: bool = False
    open: bool = False


def _r(*roles: str, scopes: str = "", level: str | None = None) -> Rule:
    return Rule(frozenset(roles) if roles else USERS, frozenset(scopes.split()), level)


_EVERYBODY, _ACCOUNT = Rule(), Rule(before=True)
_SESSION = Rule(
    scopes=frozenset(["cases:read", "cases:write", "directory:read", "subscriptions"]), before=True
)
_ANY = Rule(scopes=_SESSION.scopes)
_OPERATOR = _r("system_operator")
_ADMIN = _r("agency_admin", "system_operator")
_OWN_ADMIN = _r("agency_admin")
_SUBSCRIBER = _r("agency_admin", scopes="subscriptions")
_READ = _r(*CASEWORK, scopes="cases:read")
_WRITE = _r(*CASEWORK, scopes="cases:write")
_OFFICERS = _r("agency_dpo", "partnership_dpo")
_PROVISIONING = Rule(frozenset(), frozenset({"provisioning"}))
"""The agency's identity system, and no person at all."""


def _case(level: str, scopes: str = "", roles: frozenset[str] = CASEWORK) -> Rule:
    return Rule(roles, frozenset(scopes.split()), level)


RULES: dict[tuple[str, str], Rule] = {
    ("POST", "/sessions"): Rule(open=True),
    ("GET", "/sessions/current"): _SESSION,
    ("DELETE", "/sessions/current"): _SESSION,
    ("POST", "/sessions/challenges"): Rule(open=True),
    ("POST", "/sessions/current/challenges"): _EVERYBODY,
    ("POST", "/sessions/current/step-ups"): _EVERYBODY,
    ("POST", "/activations"): Rule(open=True),
    ("GET", "/me"): _SESSION,
    ("PUT", "/me/password"): _ACCOUNT,
    ("POST", "/me/totp"): _ACCOUNT,
    ("PUT", "/me/totp"): _ACCOUNT,
    ("GET", "/me/passkeys"): _ACCOUNT,
    ("POST", "/me/passkeys"): _ACCOUNT,
    ("POST", "/me/passkeys/challenges"): _ACCOUNT,
    ("DELETE", "/me/passkeys/{}"): _EVERYBODY,
    ("GET", "/me/sessions"): _ACCOUNT,
    ("DELETE", "/me/sessions/{}"): _ACCOUNT,
    ("GET", "/me/consultations"): _ACCOUNT,
    ("GET", "/procedures"): _EVERYBODY,
    ("POST", "/procedures"): _r("security_manager"),
    ("GET", "/procedures/current"): _ACCOUNT,
    ("POST", "/procedures/current/signatures"): _ACCOUNT,
    ("GET", "/agencies"): _ANY,
    ("POST", "/agencies"): _OPERATOR,
    ("GET", "/agencies/{}"): _ANY,
    ("PATCH", "/agencies/{}"): _OPERATOR,
    ("POST", "/agencies/{}/transitions"): _OPERATOR,
    ("GET", "/agencies/{}/identity-provider"): _OWN_ADMIN,
    ("PUT", "/agencies/{}/identity-provider"): _OWN_ADMIN,
    ("DELETE", "/agencies/{}/identity-provider"): _OWN_ADMIN,
    ("GET", "/protocols"): _ANY,
    ("POST", "/protocols"): _OPERATOR,
    ("GET", "/protocols/{}"): _ANY,
    ("PATCH", "/protocols/{}"): _OPERATOR,
    ("POST", "/protocols/{}/transitions"): _OPERATOR,
    ("GET", "/users"): _ADMIN,
    ("POST", "/users"): _ADMIN,
    ("GET", "/users/{}"): _ADMIN,
    ("PATCH", "/users/{}"): _ADMIN,
    ("POST", "/users/{}/resets"): _ADMIN,
    ("GET", "/users/{}/trainings"): _EVERYBODY,  # one's own; of another, there is none
    ("POST", "/users/{}/trainings"): _OWN_ADMIN,
    ("POST", "/users/{}/certifications"): _OWN_ADMIN,
    ("GET", "/certifications/users"): _r("agency_admin", "agency_dpo"),
    ("GET", "/certifications/shares"): _r(*CASEWORK, "agency_dpo"),
    ("GET", "/teams"): _EVERYBODY,
    ("POST", "/teams"): _OWN_ADMIN,
    ("GET", "/teams/{}"): _EVERYBODY,
    ("PATCH", "/teams/{}"): _OWN_ADMIN,
    ("GET", "/devices"): _OWN_ADMIN,
    ("POST", "/devices"): _OWN_ADMIN,
    ("POST", "/devices/enrolments"): _EVERYBODY,
    ("GET", "/devices/{}"): _OWN_ADMIN,
    ("PATCH", "/devices/{}"): _OWN_ADMIN,
    ("GET", "/clients"): _OWN_ADMIN,
    ("POST", "/clients"): _OWN_ADMIN,
    ("GET", "/clients/{}"): _OWN_ADMIN,
    ("PATCH", "/clients/{}"): _OWN_ADMIN,
    ("DELETE", "/clients/{}"): _OWN_ADMIN,
    ("POST", "/clients/{}/secrets"): _OWN_ADMIN,
    ("GET", "/directory"): _r(scopes="directory:read"),
    ("POST", "/searches"): _READ,
    ("GET", "/scim/v2/Users"): _PROVISIONING,
    ("POST", "/scim/v2/Users"): _PROVISIONING,
    ("GET", "/scim/v2/Users/{}"): _PROVISIONING,
    ("PUT", "/scim/v2/Users/{}"): _PROVISIONING,
    ("PATCH", "/scim/v2/Users/{}"): _PROVISIONING,
    ("DELETE", "/scim/v2/Users/{}"): _PROVISIONING,
    ("GET", "/scim/v2/ServiceProviderConfig"): _PROVISIONING,
    ("GET", "/scim/v2/ResourceTypes"): _PROVISIONING,
    ("GET", "/scim/v2/Schemas"): _PROVISIONING,
    ("GET", "/subjects"): _READ,
    ("POST", "/subjects"): _WRITE,
    ("GET", "/subjects/{}"): _READ,
    ("PATCH", "/subjects/{}"): _WRITE,
    ("GET", "/subjects/{}/chronology"): _READ,
    ("GET", "/subjects/{}/links"): _READ,
    ("POST", "/subjects/{}/links"): _WRITE,
    ("PATCH", "/subjects/{}/links/{}"): _WRITE,
    ("DELETE", "/subjects/{}/links/{}"): _WRITE,
    ("GET", "/cases"): _READ,
    ("POST", "/cases"): _WRITE,
    ("GET", "/cases/{}"): _case("know", "cases:read"),
    ("PATCH", "/cases/{}"): _case("manage", "cases:write"),
    ("POST", "/cases/{}/transitions"): _case("manage", "cases:write"),
    ("PUT", "/cases/{}/subjects/{}"): _case("manage", "cases:write"),
    ("DELETE", "/cases/{}/subjects/{}"): _case("manage", "cases:write"),
    ("GET", "/cases/{}/entries"): _case("read", "cases:read"),
    ("POST", "/cases/{}/entries"): _case("contribute", "cases:write"),
    ("GET", "/cases/{}/entries/{}"): _case("read", "cases:read"),
    ("PATCH", "/cases/{}/entries/{}"): _case("contribute", "cases:write"),
    ("POST", "/cases/{}/entries/{}/withdrawal"): _case("contribute", "cases:write"),
    ("GET", "/cases/{}/tasks"): _case("task", "cases:read", TASKWORK),
    ("POST", "/cases/{}/tasks"): _case("contribute", "cases:write"),
    ("GET", "/cases/{}/tasks/{}"): _case("task", "cases:read", TASKWORK),
    ("PATCH", "/cases/{}/tasks/{}"): _case("task", "cases:write", TASKWORK),
    ("GET", "/tasks"): _r(*TASKWORK),
    ("GET", "/cases/{}/shares"): _case("own"),
    ("POST", "/cases/{}/shares"): _case("own"),
    ("POST", "/cases/{}/shares/preview"): _case("own"),
    ("GET", "/cases/{}/shares/{}"): _case("own"),
    ("PATCH", "/cases/{}/shares/{}"): _case("own"),
    ("DELETE", "/cases/{}/shares/{}"): _case("own"),
    ("POST", "/cases/{}/shares/{}/certifications"): _case("own"),
    ("GET", "/cases/{}/access-requests"): _case("know"),
    ("POST", "/cases/{}/access-requests"): _case("know"),
    ("PATCH", "/cases/{}/access-requests/{}"): _case("own"),
    ("GET", "/cases/{}/transfers"): _case("own"),
    ("POST", "/cases/{}/transfers"): _case("own"),
    ("PATCH", "/cases/{}/transfers/{}"): _case("own"),
    ("GET", "/ownerless-cases"): _OWN_ADMIN,
    ("GET", "/cases/{}/access"): _case("own"),
    ("GET", "/cases/{}/consultations"): _case("own"),
    ("POST", "/access/explain"): _EVERYBODY,
    GLASS: _case("know"),
    ("GET", "/cases/{}/break-glass"): _case("own", roles=CASEWORK | {"agency_dpo", "partnership_dpo"}),
    ("PATCH", "/cases/{}/break-glass/{}"): _case("own", roles=CASEWORK | {"agency_dpo", "partnership_dpo"}),
    ("GET", "/cases/{}/conflicts"): _case("own"),
    ("POST", "/cases/{}/conflicts"): _case("own", roles=TASKWORK),
    ("DELETE", "/cases/{}/conflicts/{}"): _case("own"),
    ("GET", "/stream"): _r(scopes="cases:read"),
    ("GET", "/inbox"): _EVERYBODY,
    ("PATCH", "/inbox/{}"): _EVERYBODY,
    ("POST", "/inbox/read-marks"): _EVERYBODY,
    ("GET", "/subscriptions"): _SUBSCRIBER,
    ("POST", "/subscriptions"): _SUBSCRIBER,
    ("GET", "/subscriptions/{}"): _SUBSCRIBER,
    ("PATCH", "/subscriptions/{}"): _SUBSCRIBER,
    ("DELETE", "/subscriptions/{}"): _SUBSCRIBER,
    ("GET", "/subscriptions/{}/deliveries"): _SUBSCRIBER,
    ("POST", "/subscriptions/{}/deliveries/{}/attempts"): _SUBSCRIBER,
    ("GET", "/audit/entries"): _EVERYBODY,
    ("GET", "/audit/entries/{}"): _EVERYBODY,
    ("GET", "/audit/entries/{}/proof"): _EVERYBODY,
    ("GET", "/audit/entries/{}/receipt"): _EVERYBODY,
    ("GET", "/audit/checkpoints"): _ANY,
    ("GET", "/audit/checkpoints/latest"): _ANY,
    ("POST", "/audit/cosignatures"): _r(
        "agency_dpo",
        "partnership_dpo",
        "agency_admin",
        "system_operator",
        scopes="cases:read cases:write directory:read subscriptions",
    ),
    ("GET", "/audit/consistency"): _ANY,
    ("GET", "/audit/keys"): _ANY,
    ("GET", "/audit/export"): _r("agency_dpo", "partnership_dpo"),
    ("GET", "/audit/statements"): _OFFICERS,
    ("POST", "/audit/statements"): _OFFICERS,
    ("GET", "/audit/statements/preview"): _OFFICERS,
    ("GET", "/audit/statements/{}"): _OFFICERS,
    ("GET", "/audit/reviews"): _OFFICERS,
    ("PATCH", "/audit/reviews/{}"): _OFFICERS,
    ("GET", "/audit/usage"): _r("agency_dpo", "partnership_dpo", "programme_manager", "governance_member"),
}
"""By method and path, ids as {}. A route that is not here is unexpected."""

_HAND_BACK = frozenset(
    {("GET", "/cases/{}/shares"), ("GET", "/cases/{}/shares/{}"), ("PATCH", "/cases/{}/shares/{}")}
)
"""A recipient reads the share that names it, and may hand it back: more than refused, less than the owner."""

_GONE = frozenset(
    {
        ("DELETE", "/cases/{}/subjects/{}"),
        ("PATCH", "/cases/{}/transfers/{}"),
        ("PATCH", "/cases/{}/access-requests/{}"),
        ("DELETE", "/cases/{}/conflicts/{}"),
    }
)
"""The first to ask removes the subject; the offer, the request and the conflict that are named there never
were."""

_OF_ADMINISTRATORS = frozenset({("PATCH", "/users/{}"), ("POST", "/users/{}/resets")})
"""The operator appoints and resets administrators; this user is none."""


def expected(method: str, path: str, actor: Actor) -> frozenset[str]:
    """The answers that are right, as one of them has to be given."""
    rule = RULES[method, path]
    if rule.open:
        return frozenset({"passed"})
    if not actor.known:
        return frozenset({"unauthenticated"})
    if not actor.signed and not rule.before:
        return frozenset({"procedure_unsigned"})
    fits = bool(actor.scopes & rule.scopes) if actor.client else bool(actor.roles & rule.roles)
    if fits and path == "/access/explain":
        # To whoever does not answer for the case there is none; an agency's officer answers for what
        # concerns its agency.
        officer = "agency_dpo" in actor.roles and actor.concerned
        answers = actor.level == "own" or "partnership_dpo" in actor.roles or officer
        return frozenset({"passed" if answers else "not_found"})
    if rule.level is None:
        if fits and path.startswith("/subjects/{}") and method != "GET":
            # Changed by the team that entered it; linked by who works in a case that it is in.
            return frozenset({"passed", "not_owner", "level_too_low"})
        if "system_operator" in actor.roles and (method, path) in _OF_ADMINISTRATORS:
            return frozenset({"role_required"})
        return frozenset({"passed"}) if fits else frozenset({"role_required"})
    answers = (method, path) in ANSWERABLE and (actor.level == "own" or "partnership_dpo" in actor.roles)
    if answers and fits:
        return frozenset({"not_found" if method == "PATCH" else "passed"})  # there is no such glass
    if actor.level is None:
        return frozenset({"passed" if (method, path) == GLASS and fits else "not_found"})
    if not fits:
        return frozenset({"role_required"})
    if path == "/cases/{}/tasks/{}" and actor.level == "task":
        return frozenset({"not_found"})  # somebody else's
    if (method, path) == ("PATCH", "/cases/{}/tasks/{}") and actor.level == "read":
        return frozenset({"level_too_low"})  # neither the assignee nor one who works in the case
    if RANK[actor.level] >= RANK[rule.level]:
        gone = (method, path) in _GONE
        return frozenset({"passed", "not_found"} if gone else {"passed"})
    if (method, path) in _HAND_BACK:
        return frozenset({"passed", "not_owner", "not_found"})
    return frozenset({"not_owner"} if rule.level == "own" else {"level_too_low"})


@dataclass
class Unexpected:
    """What was not as it should be."""

    cells: int = 0
    lines: list[str] = field(default_factory=list)
