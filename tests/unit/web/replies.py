"""What services would answer, with something that must be escaped wherever people can write.

Every body is checked against the reply's own model, so that these fakes cannot say what no service says.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from services.contracts import audit, notify, reviews, statements
from services.contracts.cases import cases, entries, links, subjects, tasks
from services.contracts.sharing import (
    account,
    agencies,
    asking,
    certifying,
    clients,
    conflicts,
    devices,
    directory,
    explain,
    glass,
    identity_providers,
    passkeys,
    people,
    procedures,
    protocols,
    sessions,
    shares,
    teams,
    trainings,
    transfers,
)
from services.contracts.views import Empty
from services.contracts.vocabulary import SECTIONS

CANARY = "<script>alert('x\"&')</script>"
ESCAPED = "&lt;script&gt;alert(&#39;x&#34;&amp;&#39;)&lt;/script&gt;"
AT, LATER, DAY = "2026-11-20T10:00:00Z", "2027-05-01T10:00:00Z", "2027-05-01"
ME, AGENCY = {"id": "u1", "name": CANARY}, {"id": "a1", "name": CANARY}
OTHERS = {"id": "a2", "name": CANARY}
_DISCLOSED = {"entry_id": "e1", "by": AT}
_STORED = {"created_at": AT, "updated_at": AT}
_PAGE = {"next": "Y3Vyc29y"}
_OWNER = {"user": ME, "agency": AGENCY, "team": {"id": "t1", "name": CANARY}}
_METHODS = [
    "patch_case", "move_case", "put_case_subject", "remove_case_subject", "add_entry", "revise_entry",
    "withdraw_entry", "add_task", "share_case", "list_access",
]  # fmt: skip

WHY: dict[str, Any] = {
    "allowed": False,
    "steps": [
        {"step": "principal_active", "holds": True},
        {"step": "protocol_active", "holds": True, "cites": {
            "protocols": [{"id": "p1", "clause": CANARY}], "legal_gateways": [CANARY]}},
        {"step": "procedure_signed", "holds": True, "cites": {"procedure_version": 3}},
        {"step": "training_current", "holds": False, "cites": {
            "use": "iom", "code": "training_required", "clause": CANARY}},
        {"step": "place_and_device", "holds": None, "cites": {"marking": "official"}},
        {"step": "individual_granted", "holds": True, "cites": {"share_ids": ["h1"]}},
        {"step": "reason_given", "holds": None},
    ],
}  # fmt: skip
ENTRY: dict[str, Any] = {
    "id": "n1", "type": "incident_report", "occurred_at": AT, "reported_at": AT, "channel": "101",
    "text": CANARY, "subject_ids": ["s1"], "withhold_from": ["a2"], "author": ME, "agency": AGENCY,
    "recorded_at": AT, **_STORED, "revision": 1, "etag": "n-1",
    "revisions": [{"at": AT, "by": ME, "reason": CANARY, "text": CANARY, "occurred_at": AT}],
}  # fmt: skip
DONE_ENTRY = {
    **ENTRY,
    "id": "n2",
    "type": "intervention",
    "intervention": {"kind": CANARY, "responsible_user_id": None, "outcome": CANARY, "ended_at": AT},
}
WITHDRAWN = {
    "id": "n3", "type": "note", "occurred_at": AT, "author": ME, "agency": AGENCY, "recorded_at": AT,
    **_STORED, "withdrawn": {"at": AT, "by": ME, "reason": CANARY},
}  # fmt: skip
TASK: dict[str, Any] = {
    "id": "k1", "case_id": "c1", "case": {"id": "c1", "reference": "CLE-1"}, "title": CANARY,
    "detail": CANARY, "assignee": {"user_id": "u2", "name": CANARY}, "due_on": "2020-01-01",
    "state": "offered", "reason": CANARY, "outcome": CANARY, "created_by": ME, **_STORED, "etag": "k-1",
    "may": ["accepted", "declined", "cancelled"],
}  # fmt: skip
CASE: dict[str, Any] = {
    "id": "c1", "reference": "CLE-1", "template": "complex_asb", "title": CANARY, "status": "open",
    "priority": "high", "marking": "official_sensitive", "owner": _OWNER, **_STORED,
    "my_access": {"via": "owner", "level": "manage", "sections": list(SECTIONS), "until": None,
                  "may": _METHODS},
    "summary": CANARY, "counts": {"entries": 3, "tasks_open": 1},
    "subjects": [{"subject": {"id": "s1", "name": CANARY}, "kind": "person", "role": "victim"}],
    "entries": {"items": [ENTRY, DONE_ENTRY, WITHDRAWN], **_PAGE},
    "tasks": {"items": [TASK], "next": None}, "etag": "c-1", "disclosed": _DISCLOSED,
}  # fmt: skip
KNOWN = {
    "id": "c1", "reference": "CLE-1", "owner": _OWNER,
    "my_access": {"via": "share", "share_id": "h1", "level": "know", "sections": [], "until": LATER,
                  "may": []},
}  # fmt: skip
_LISTED = {
    "id": "c1", "reference": "CLE-1", "title": CANARY, "template": "vemt", "status": "open",
    "priority": "low", "marking": "official", "owner": _OWNER, "updated_at": AT, "next_due": DAY,
    "unread": True,
}  # fmt: skip
SHARE: dict[str, Any] = {
    "id": "h1", "case_id": "c1", "kind": "share", "agency_id": "a2", "agency": OTHERS,
    "members": [{"user_id": "u2"}, {"team_id": "t2"}],
    "who": [{"kind": "user", "id": "u2", "name": CANARY, "available": True},
            {"kind": "team", "id": "t2", "name": CANARY, "available": False,
             "because": "procedure_unsigned"}],
    "level": "contribute", "sections": ["summary", "timeline"], "purpose": CANARY, "protocol_id": "p1",
    "legal_gateway": CANARY, "consent": {"state": "refused", "reason": CANARY, "confirm_by": LATER},
    "side": "victim", "expires_at": LATER, "note": CANARY, "regime": "part3", "state": "active",
    "granted_by": ME,
    "granted_at": AT, **_STORED, "etag": "h-1",
}  # fmt: skip
REVOKED = {
    **SHARE,
    "id": "h2",
    "state": "revoked",
    "revoked": {"at": AT, "by": ME, "agency": AGENCY, "reason": "wrong_recipient"},
}
ASKED: dict[str, Any] = {
    "id": "q1", "case_id": "c1", "user": ME, "agency": OTHERS, "reason": CANARY, "state": "open",
    "answer": None, "answered_by": None, "answered_at": None, "created_at": AT,
}  # fmt: skip
OFFERED: dict[str, Any] = {
    "id": "f1", "case_id": "c1", "state": "offered", "way": "offer", "reason": CANARY, "by": ME, **_STORED,
    "owner": {"user": ME, "agency": AGENCY}, "to": {"user": ME, "agency": OTHERS}, "lapses_at": LATER,
    "protocol_id": "p1", "purpose": CANARY, "legal_gateway": CANARY,
}  # fmt: skip
DECIDED = {**OFFERED, "id": "f2", "state": "declined", "decided_by": ME, "decided_at": AT,
           "decision_reason": CANARY}  # fmt: skip
_WHO = {"kind": "user", "id": "u2", "name": CANARY, "agency": OTHERS, "team": {"id": "t2", "name": CANARY}}
_ACCESS = {
    "who": _WHO, "via": "share", "share_id": "h1", "level": "read", "sections": ["summary"],
    "purpose": CANARY, "protocol": {"id": "p1", "clause": CANARY}, "legal_gateway": CANARY,
    "procedure_version": 2, "since": AT, "until": LATER, "now": "blocked",
    "blocked_by": "procedure_unsigned",
}  # fmt: skip
_SEEN = {
    "entry_id": "e1", "at": AT, "actor": ME, "accountable": ME, "agency": AGENCY, "how": "opened",
    "sections": ["summary"], "reason": "task", "outcome": "shown",
}  # fmt: skip
_LOGGED = {
    "id": "e1", "index": 4, "at": AT, "actor": ME, "accountable": ME, "agency": AGENCY,
    "action": "case.read", "objects": [{"type": "case", "id": "c1", "sections": ["summary"]}],
    "use": "complex_asb", "reason": "task", "outcome": "shown", "request_id": "r1",
}  # fmt: skip
SUBJECT: dict[str, Any] = {
    "id": "s1", "kind": "person", "agency_id": "a1", "team_id": "t1",
    "names": [{"given": CANARY, "family": CANARY, "type": "legal"},
              {"given": CANARY, "family": "", "type": "alias"}],
    "born": {"date": "1990-02-03", "precision": "day"}, "identifiers": [{"scheme": "other", "value": CANARY}],
    **_STORED,
}  # fmt: skip
_AGENCIES = [
    {"id": "a1", "name": CANARY, "type": "police", "area": CANARY, "state": "active", **_STORED},
    {"id": "a2", "name": CANARY, "type": "housing_association", "area": None, "state": "active", **_STORED},
    {"id": "a3", "name": CANARY, "type": "nhs_trust", "area": None, "state": "signed", **_STORED},
]
PROTOCOL: dict[str, Any] = {
    "id": "p1", "title": CANARY, "state": "active", "parties": ["a1", "a2"],
    "purposes": [{"code": "asb", "name": CANARY, "legal_gateways": [
        {"code": "s115", "name": CANARY, "recipient_types": ["police", "housing_association"]},
        {"code": "s17", "name": "Only to councils", "recipient_types": ["local_authority"]}]}],
    "data_categories": [CANARY], "starts_on": "2026-01-01", "ends_on": DAY, "review_on": "2026-02-01",
    "spoc": {"name": CANARY, "email": "a@b.example"}, "dpo": {"name": CANARY, "email": "a@b.example"},
    "document_sha256": None, "signatories": [{"name": CANARY, "agency_id": "a2", "at": AT}], **_STORED,
    "etag": "p-1",
}  # fmt: skip
_CLAUSES = [{"no": 1, "heading": CANARY, "text": CANARY}]
PROCEDURE: dict[str, Any] = {
    "id": "2", "version": 2, "title": CANARY, "clauses": _CLAUSES, "sha256": "0" * 64,
    "effective_from": AT, "sign_by": LATER, **_STORED, "my_signature": {"version": 1, "signed_at": AT},
}  # fmt: skip
USER: dict[str, Any] = {
    "id": "u2", "username": CANARY, "name": CANARY, "email": CANARY, "agency_id": "a1", "job_title": CANARY,
    "team_ids": ["t1"], "deputy_id": "u3",
    "roles": [{"role": "practitioner", "starts_on": None, "ends_on": DAY}], "state": "active", **_STORED,
    "etag": "u-1",
}  # fmt: skip
_TEAM = {"id": "t1", "agency_id": "a1", "name": CANARY, "user_ids": ["u2"], **_STORED, "etag": "t-1"}
CLIENT: dict[str, Any] = {
    "id": "x1", "client_id": "x1", "agency_id": "a1", "name": CANARY, "accountable_user_id": "u2",
    "scopes": ["cases:read"], "networks": ["192.0.2.0/24"], "expires_at": LATER, **_STORED, "etag": "x-1",
}  # fmt: skip
_DEVICE: dict[str, Any] = {
    "id": "d1", "name": CANARY, "class": "managed", "agency_id": "a1", "user_id": "u2", "state": "enrolled",
    "enrolled_at": AT, **_STORED, "etag": "d-1",
}  # fmt: skip
_TRAINING: dict[str, Any] = {
    "id": "tr1", "use": "vemt", "completed_on": "2026-01-01", "expires_on": DAY, "current": True,
    "required": True, **_STORED,
}  # fmt: skip
_PLACES = [
    {"marking": "official", "networks": ["192.0.2.0/24"], "device_classes": [], "step_up": True},
    {"marking": "official_sensitive", "networks": [], "device_classes": ["managed"], "step_up": False},
]
_FOUND = {
    "kind": "user", "id": "u3", "name": CANARY, "job_title": CANARY, "agency": OTHERS,
    "team": {"id": "t2", "name": CANARY}, "available": False, "because": "not_activated",
}  # fmt: skip
_SUBJECT_FOUND = {
    "id": "s2", "name": CANARY, "kind": "person", "agency_id": "a1", "team_id": "t1",
    "born": {"date": "1990-02-03", "precision": "day"}, "postcode": "TS1 1AA", "updated_at": AT,
}  # fmt: skip
_LINK = {
    "id": "l1", "kind": "resides_at", "from_subject_id": "s1", "to_subject_id": "s2", "since": "2020-01-01",
    "source": CANARY, "agency_id": "a1", "other": {"id": "s2", "name": CANARY}, "other_kind": "premises",
    **_STORED,
}  # fmt: skip
_KEY = {"name": "log", "algorithm": "ed25519", "verifier_key": "log+1+AAAA", "from": AT, "until": None}


def _items(*found: Any) -> dict[str, Any]:
    return {"items": list(found), **_PAGE}


_STATEMENT: dict[str, Any] = {
    "id": "st1", "subject_id": "s1", "created_at": AT, "issued_by": ME, "agency": AGENCY, "scope": "agency",
    "from": None, "to": AT, "lines": 3, "withheld": 1, "redacted": 1,
}  # fmt: skip
_SAID: dict[str, Any] = {
    "id": "e1", "at": AT, "action": "case.read", "how": "opened", "actor": ME, "agency": AGENCY, "to": AGENCY,
    "case_id": "c1", "sections": ["subjects"], "use": "iom", "reason": "task",
    "power": {"share_id": "h1", "purpose": CANARY, "legal_gateway": CANARY, "regime": "part3"},
}  # fmt: skip
_LINES: list[dict[str, Any]] = [
    {**_SAID, "n": 1, "index": 4, "leaf": "AAAA"},
    {**{name: one for name, one in _SAID.items() if name != "actor"}, "n": 2, "redacted": "rights_of_others"},
    {"n": 3, "index": 6, "hash": "AAAA", "withheld": "crime_and_taxation"},
]
_REVIEW: dict[str, Any] = {
    "id": "volume.2026-11-24.u1", "kind": "volume", "day": "2026-11-24", "actor": ME, "agency": AGENCY,
    "count": 51, "entry_ids": ["e1", "e2"], "state": "decided",
    "decisions": [{"decision": "concern", "reason": CANARY, "by": ME, "at": AT}],
}  # fmt: skip
_FIGURES = {"active_users": 1, "cases_opened": 2, "contributions": 3, "last_log_in": AT}

CONFLICT: dict[str, Any] = {
    "id": "i1", "case_id": "c1", "user": ME, "agency": OTHERS, "kind": "neighbour", "reason": CANARY,
    "declared_by": ME, "created_at": AT,
}  # fmt: skip
GLASS: dict[str, Any] = {
    "id": "b1", "case_id": "c1", "user": ME, "agency": OTHERS, "access_reason": "safeguarding",
    "reason": CANARY, "created_at": AT, "until": LATER, "ended_at": None, "review": "justified",
    "review_by": LATER, "escalated_at": None,
    "decisions": [{"decision": "justified", "reason": CANARY, "by": ME, "at": AT}],
}  # fmt: skip
OPEN_GLASS = {**GLASS, "id": "b2", "review": "open", "decisions": [], "escalated_at": AT, "ended_at": AT}


_PASSKEY = {"id": "y1", "name": CANARY, "created_at": AT, "last_used_at": LATER}

REPLIES: dict[tuple[str, str], tuple[type[BaseModel], dict[str, Any]]] = {
    ("sharing", "me"): (
        account.Me,
        {"user": ME, "agency": AGENCY, "teams": [{"id": "t1", "name": CANARY}, {"id": "t9", "name": CANARY}],
         "roles": ["practitioner"], "uses": [], "must": [], "second_factors": ["passkey"]},
    ),
    ("sharing", "list_sessions"): (
        sessions.SessionPage,
        _items(*({"id": f"z{n}", "created_at": AT, "seen_at": AT, "expires_at": LATER,
                  "idle_expires_at": LATER, "current": n == 0} for n in range(2))),
    ),
    ("sharing", "end_session"): (Empty, {}),
    ("sharing", "current_session"): (
        sessions.SessionView,
        {"id": "z0", "created_at": AT, "expires_at": LATER, "idle_expires_at": LATER, "must": [],
         "device": {"id": "d1", "name": CANARY, "device_class": "managed"}, "stepped_up_until": LATER},
    ),
    ("sharing", "list_passkeys"): (passkeys.PasskeyPage, _items(_PASSKEY)),
    ("sharing", "add_passkey"): (passkeys.PasskeyView, _PASSKEY),
    ("sharing", "remove_passkey"): (Empty, {}),
    ("sharing", "step_up"): (sessions.SteppedUp, {"until": LATER}),
    ("sharing", "list_trainings"): (
        trainings.TrainingPage, {"items": [_TRAINING], "missing": ["iom"], "next": None}
    ),
    ("sharing", "record_training"): (trainings.TrainingView, _TRAINING),
    ("sharing", "list_devices"): (devices.DevicePage, _items(_DEVICE)),
    ("sharing", "get_device"): (devices.DeviceView, _DEVICE),
    ("sharing", "patch_device"): (devices.DeviceView, _DEVICE),
    ("sharing", "enrol_device"): (devices.DeviceView, _DEVICE),
    ("sharing", "register_device"): (
        devices.DeviceRegistered, {**_DEVICE, "enrolment_code": CANARY, "enrolment_expires_at": LATER}
    ),
    ("sharing", "end_current_session"): (Empty, {}),
    ("sharing", "change_password"): (Empty, {}),
    ("sharing", "start_totp"): (
        account.TotpStarted,
        {"secret": "JBSWY3DPEHPK3PXP", "uri": "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP"},
    ),
    ("sharing", "confirm_totp"): (account.RecoveryCodes, {"recovery_codes": ["aaaa-bbbb"]}),
    ("sharing", "current_procedure"): (procedures.CurrentProcedure, PROCEDURE),
    ("sharing", "sign_procedure"): (
        procedures.SignatureView,
        {"version": 2, "sha256": "0" * 64, "user_id": "u1", "device_id": None, "signed_at": AT},
    ),
    ("sharing", "list_procedures"): (
        procedures.ProcedurePage,
        _items({k: v for k, v in PROCEDURE.items() if k not in ("clauses", "my_signature")}),
    ),
    ("sharing", "publish_procedure"): (
        procedures.ProcedureView, {k: v for k, v in PROCEDURE.items() if k != "my_signature"}
    ),
    ("sharing", "list_agencies"): (agencies.AgencyPage, _items(*_AGENCIES)),
    ("sharing", "get_agency"): (agencies.AgencyView, {**_AGENCIES[0], "places": _PLACES, "etag": "a-1"}),
    ("sharing", "get_identity_provider"): (
        identity_providers.IdentityProviderView,
        {"state": "on", "alias": CANARY, "issuer": CANARY, "client_id": CANARY, "claim": "email",
         "second_factors": [CANARY], "updated_at": AT, "etag": "v1"},
    ),
    ("sharing", "put_identity_provider"): (identity_providers.IdentityProviderView, {"state": "on"}),
    ("sharing", "remove_identity_provider"): (Empty, {}),
    ("sharing", "create_agency"): (agencies.AgencyView, _AGENCIES[0]),
    ("sharing", "patch_agency"): (agencies.AgencyView, _AGENCIES[0]),
    ("sharing", "move_agency"): (agencies.AgencyView, _AGENCIES[0]),
    ("sharing", "list_protocols"): (protocols.ProtocolPage, _items(PROTOCOL)),
    ("sharing", "get_protocol"): (protocols.ProtocolView, PROTOCOL),
    ("sharing", "create_protocol"): (protocols.ProtocolView, PROTOCOL),
    ("sharing", "patch_protocol"): (protocols.ProtocolView, PROTOCOL),
    ("sharing", "move_protocol"): (protocols.ProtocolView, PROTOCOL),
    ("sharing", "list_users"): (people.UserPage, _items(USER)),
    ("sharing", "get_user"): (people.UserView, USER),
    ("sharing", "patch_user"): (people.UserView, USER),
    ("sharing", "invite_user"): (
        people.UserInvited, {**USER, "activation_token": CANARY, "activation_expires_at": LATER}
    ),
    ("sharing", "reset_user"): (
        people.UserReset,
        {"id": "u2", "state": "invited", "activation_token": CANARY, "activation_expires_at": LATER},
    ),
    ("sharing", "list_teams"): (teams.TeamPage, _items(_TEAM)),
    ("sharing", "get_team"): (teams.TeamView, _TEAM),
    ("sharing", "create_team"): (teams.TeamView, _TEAM),
    ("sharing", "patch_team"): (teams.TeamView, _TEAM),
    ("sharing", "list_clients"): (clients.ClientPage, _items(CLIENT)),
    ("sharing", "get_client"): (clients.ClientView, CLIENT),
    ("sharing", "create_client"): (
        clients.ClientCreated, {**CLIENT, "client_secret": CANARY, "provisioning_token": CANARY}
    ),
    ("sharing", "patch_client"): (clients.ClientView, CLIENT),
    ("sharing", "delete_client"): (Empty, {}),
    ("sharing", "rotate_secret"): (
        clients.SecretRotated,
        {"id": "x1", "client_id": "x1", "client_secret": CANARY, "former_until": LATER},
    ),
    ("sharing", "list_directory"): (
        directory.DirectoryPage, _items(_FOUND, {**_FOUND, "kind": "team", "id": "t2", "available": True})
    ),
    ("sharing", "search_directory"): (directory.DirectoryPage, _items(_FOUND)),
    ("sharing", "list_shares"): (shares.SharePage, _items(SHARE, REVOKED)),
    ("sharing", "get_share"): (shares.ShareView, SHARE),
    ("sharing", "share_case"): (shares.ShareView, SHARE),
    ("sharing", "change_share"): (shares.ShareView, SHARE),
    ("sharing", "revoke_share"): (Empty, {}),
    ("sharing", "check_share"): (
        shares.ShareChecked,
        {k: v for k, v in SHARE.items() if k in shares.Terms.model_fields and k != "etag"},
    ),
    ("sharing", "explain"): (explain.Explanation, WHY),
    ("sharing", "list_access"): (
        shares.AccessPage,
        _items(_ACCESS, {**_ACCESS, "via": "owner", "share_id": None, "now": "open", "purpose": None,
                         "protocol": None, "legal_gateway": None, "until": None, "blocked_by": None}),
    ),
    ("sharing", "list_transfers"): (
        transfers.TransferPage,
        _items(OFFERED, *({**DECIDED, "state": one} for one in ("accepted", "lapsed"))),
    ),
    ("sharing", "offer_transfer"): (transfers.TransferView, OFFERED),
    ("sharing", "decide_transfer"): (transfers.TransferView, DECIDED),
    ("sharing", "list_ownerless"): (
        transfers.OwnerlessPage,
        {**_items({"case_id": "c1", "since": AT, "owner": ME, "offered": False}), "count": 3},
    ),
    ("sharing", "request_access"): (asking.AccessRequestView, ASKED),
    ("sharing", "list_access_requests"): (
        asking.AccessRequestPage,
        _items(ASKED, {**ASKED, "id": "q2", "state": "declined", "answer": CANARY, "answered_by": ME,
                       "answered_at": AT}),
    ),
    ("sharing", "answer_access_request"): (asking.AccessRequestView, ASKED),
    ("sharing", "list_users_to_certify"): (
        certifying.UsersToCertify,
        _items(
            {"user": ME, "job_title": CANARY, "roles": ["practitioner"], "state": "active",
             "last_log_in_at": AT, "certify_by": AT, "overdue": True},
            {"user": ME, "job_title": None, "roles": [], "state": "invited", "last_log_in_at": None,
             "certify_by": LATER, "overdue": False},
        ),
    ),
    ("sharing", "certify_user"): (certifying.UserCertified, {"user_id": "u2", "certify_by": LATER}),
    ("sharing", "list_shares_to_certify"): (
        certifying.SharesToCertify,
        _items({"case_id": "c1", "share_id": "h1", "owner": ME, "agency": OTHERS, "level": "read",
                "granted_at": AT, "expires_at": LATER, "certify_by": AT, "overdue": True}),
    ),
    ("sharing", "certify_share"): (
        certifying.ShareCertified, {"case_id": "c1", "share_id": "h1", "certify_by": LATER}
    ),
    ("sharing", "declare_conflict"): (conflicts.ConflictView, CONFLICT),
    ("sharing", "withdraw_conflict"): (Empty, {}),
    ("sharing", "list_conflicts"): (conflicts.ConflictPage, _items(CONFLICT)),
    ("sharing", "break_glass"): (glass.GlassBroken, {"id": "b1", "case_id": "c1", "until": LATER}),
    ("sharing", "list_glasses"): (glass.GlassPage, _items(GLASS, OPEN_GLASS)),
    ("sharing", "review_glass"): (glass.GlassView, GLASS),
    ("cases", "list_cases"): (cases.CasePage, _items(_LISTED, KNOWN)),
    ("cases", "search_cases"): (cases.CasePage, _items(_LISTED)),
    ("cases", "get_case"): (cases.CaseView, CASE),
    ("cases", "create_case"): (cases.CaseView, CASE),
    ("cases", "patch_case"): (cases.CaseView, CASE),
    ("cases", "move_case"): (cases.CaseView, CASE),
    ("cases", "put_case_subject"): (cases.CaseView, CASE),
    ("cases", "remove_case_subject"): (Empty, {}),
    ("cases", "preview_case"): (cases.CaseView, CASE),
    ("cases", "add_entry"): (entries.EntryView, ENTRY),
    ("cases", "list_entries"): (entries.EntryPage, _items(ENTRY)),
    ("cases", "get_entry"): (entries.EntryView, ENTRY),
    ("cases", "revise_entry"): (entries.EntryView, ENTRY),
    ("cases", "withdraw_entry"): (entries.EntryView, WITHDRAWN),
    ("cases", "add_task"): (tasks.TaskView, TASK),
    ("cases", "list_tasks"): (tasks.TaskPage, _items(TASK)),
    ("cases", "get_task"): (tasks.TaskView, TASK),
    ("cases", "change_task"): (tasks.TaskView, TASK),
    ("cases", "my_tasks"): (tasks.TaskPage, _items(TASK)),
    ("cases", "create_subject"): (subjects.SubjectView, SUBJECT),
    ("cases", "get_subject"): (subjects.SubjectView, SUBJECT),
    ("cases", "search_subjects"): (subjects.SubjectPage, _items(_SUBJECT_FOUND)),
    ("cases", "list_links"): (links.LinkPage, _items(_LINK)),
    ("audit", "list_entries"): (audit.EntryList, _items(_LOGGED, {**_LOGGED, "id": "e2", "index": None})),
    ("audit", "get_entry"): (audit.EntryView, _LOGGED),
    ("audit", "get_proof"): (audit.Proof, {"index": 4, "size": 9, "leaf": "AAAA", "hashes": ["BBBB"]}),
    ("audit", "latest_checkpoint"): (
        audit.Checkpoint, {"origin": "log", "size": 9, "root_hash": "AAAA", "note": CANARY}
    ),
    ("audit", "list_keys"): (audit.KeyList, _items(_KEY)),
    ("audit", "list_own_consultations"): (
        audit.OwnConsultations, _items({**_SEEN, "action": "case.read", "objects": _LOGGED["objects"]})
    ),
    ("audit", "list_statements"): (statements.StatementList, _items(_STATEMENT)),
    ("audit", "issue_statement"): (statements.StatementView, _STATEMENT),
    ("audit", "preview_statement"): (statements.StatementPreview, {"items": [_SAID]}),
    ("audit", "get_statement"): (
        statements.StatementPart,
        {
            "id": "st1",
            "head": json.dumps({"id": "st1", "subject_id": "s1", "scope": "agency", "lines": 3,
                                "agency": AGENCY, "issued_by": ME, "issued_at": "2026-11-24T12:00:00Z",
                                "until": "2026-11-24T12:00:00Z"}),
            "record": {"index": 9, "leaf": "AAAA", "detail": "{}", "salt": "AAAA", "hashes": []},
            "checkpoint": CANARY,
            "lines": [{"text": json.dumps(one), "hashes": []} for one in _LINES],
            "next": None,
        },
    ),
    ("audit", "list_reviews"): (reviews.ReviewList, _items(_REVIEW)),
    ("audit", "decide_review"): (reviews.ReviewView, _REVIEW),
    ("audit", "get_usage"): (
        reviews.Usage,
        {
            "from": "2026-11-01", "to": "2026-11-30", "up_to": 9,
            "agencies": [{"agency": AGENCY, **_FIGURES}],
            "teams": [{"agency": AGENCY, "team": {"id": "t1", "name": CANARY}, **_FIGURES}],
            "uses": [{"use": "iom", "active_users": 1, "cases_opened": 2, "contributions": 0}],
        },
    ),
    ("audit", "list_case_consultations"): (audit.Consultations, _items(_SEEN)),
    ("notify", "list_inbox"): (
        notify.Inbox,
        {**_items({"id": "i1", "at": AT, "kind": "entry.added", "case_id": "c1", "text": CANARY,
                   "href": "/cases/c1", "read": False}), "unread": 3},
    ),
    ("notify", "count_unread"): (notify.Unread, {"unread": 3}),
    ("notify", "mark_item"): (
        notify.InboxItemView,
        {"id": "i1", "at": AT, "kind": "entry.added", "text": "x", "href": "/cases/c1", "read": True},
    ),
    ("notify", "mark_read"): (notify.ReadMarked, {"up_to": "i1"}),
}  # fmt: skip
