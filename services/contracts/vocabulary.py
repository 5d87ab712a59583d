"""The closed vocabularies of the API, each once."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import StringConstraints

AgencyType = Literal[
    "police",
    "local_authority",
    "housing_association",
    "fire_and_rescue",
    "nhs_trust",
    "probation",
    "community_rehabilitation_company",
    "vcse",
    "policing_body",
    "operator",
]
AgencyState = Literal["proposed", "protocol_drafted", "signed", "active", "suspended", "expired", "withdrawn"]
Role = Literal[
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
]
Scope = Literal["cases:read", "cases:write", "directory:read", "subscriptions", "provisioning"]
"""`provisioning` stands alone: the agency's identity system, which disables who leaves (SCIM), reads no
case."""
ShareLevel = Literal["know", "task", "read", "contribute", "manage"]
Section = Literal[
    "summary", "subjects", "victim", "safe_contact", "timeline", "intelligence", "tasks", "risk", "documents"
]
Template = Literal[
    "complex_asb", "victims_first", "troubled_families", "da_iom", "iom", "civic_enforcement", "vemt"
]
CaseStatus = Literal["referred", "triage", "open", "assessment", "plan", "action", "review", "closed"]
Priority = Literal["low", "medium", "high"]
Marking = Literal["official", "official_sensitive"]
EntryType = Literal["incident_report", "note", "intervention", "contact"]
Channel = Literal["999", "101", "online", "in_person", "letter", "other"]
CaseRole = Literal[
    "victim",
    "alleged_perpetrator",
    "offender",
    "vulnerable_person",
    "witness",
    "family",
    "premises",
    "place",
]
SubjectKind = Literal["person", "family", "premises", "place"]
LinkKind = Literal[
    "member_of_family", "resides_at", "associate_of", "victim_of", "perpetrator_against", "occurred_at"
]
TaskState = Literal["offered", "accepted", "declined", "done", "cancelled"]
ShareState = Literal["active", "revoked", "expired", "suspended"]
Side = Literal["victim", "perpetrator"]
AccessReason = Literal["investigation", "safeguarding", "task", "meeting", "supervision", "other"]
ConflictKind = Literal["subject", "household", "neighbour", "other"]
"""How somebody of the staff stands to those whom a case is about: one of them, or living with or by them."""
DeviceClass = Literal["personal", "managed", "mobile"]
"""What an agency says of a device of its own; what has not proved to be enrolled is personal."""
EnrolledClass = Literal["managed", "mobile"]
Must = Literal["change_password", "enrol_totp", "sign_procedure"]
EventName = Literal[
    "case.created",
    "case.updated",
    "case.closed",
    "case.reopened",
    "case.transferred",
    "case.shared",
    "share.changed",
    "share.revoked",
    "entry.added",
    "entry.revised",
    "entry.withdrawn",
    "task.offered",
    "task.accepted",
    "task.declined",
    "task.done",
    "task.cancelled",
]
"""Of events about cases."""
LogEventName = Literal["checkpoint.signed"]
"""Of events about the audit log."""

LEVELS: tuple[ShareLevel, ...] = get_args(ShareLevel)
"""From least to most."""
SECTIONS: tuple[Section, ...] = get_args(Section)

Name = Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]
"""Of a thing or a person, as people read it."""
Day = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")]
"""A date without a time: `YYYY-MM-DD`. Use `datetime.date` where it is reckoned with."""
