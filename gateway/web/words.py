"""Plain words for every code that a page shows: vocabularies, refusals, actions of the log."""

from __future__ import annotations

from collections.abc import Iterable

WORDS: dict[str, dict[str, str]] = {
    "template": {
        "complex_asb": "Complex anti-social behaviour",
        "victims_first": "Victims First",
        "troubled_families": "Troubled Families",
        "da_iom": "Domestic abuse (IOM)",
        "iom": "Integrated Offender Management",
        "civic_enforcement": "Civic enforcement",
        "vemt": "Vulnerable, exploited, missing, trafficked",
    },
    "status": {
        "referred": "Referred",
        "triage": "Triage",
        "open": "Open",
        "assessment": "Assessment",
        "plan": "Plan",
        "action": "Action",
        "review": "Review",
        "closed": "Closed",
    },
    "priority": {"low": "Low", "medium": "Medium", "high": "High"},
    "marking": {"official": "OFFICIAL", "official_sensitive": "OFFICIAL-SENSITIVE"},
    "entry": {
        "incident_report": "Incident report",
        "note": "Note",
        "intervention": "Intervention",
        "contact": "Contact",
    },
    "channel": {
        "999": "999 call",
        "101": "101 call",
        "online": "Online",
        "in_person": "In person",
        "letter": "Letter",
        "other": "Other",
    },
    "case_role": {
        "victim": "Victim",
        "alleged_perpetrator": "Alleged perpetrator",
        "offender": "Offender",
        "vulnerable_person": "Vulnerable person",
        "witness": "Witness",
        "family": "Family",
        "premises": "Premises",
        "place": "Place",
    },
    "kind": {
        "person": "Person",
        "family": "Family",
        "premises": "Premises",
        "place": "Place",
        "user": "Person",
        "team": "Team",
        "client": "System",
    },
    "level": {
        "know": "Know that it exists",
        "task": "Own tasks only",
        "read": "Read",
        "contribute": "Read and add",
        "manage": "Edit the content",
    },
    "section": {
        "summary": "Summary",
        "subjects": "People and places",
        "victim": "Victim",
        "safe_contact": "Safe contact",
        "timeline": "Timeline",
        "intelligence": "Intelligence",
        "tasks": "Tasks",
        "risk": "Risk",
        "documents": "Documents",
    },
    "task": {
        "offered": "Offered",
        "accepted": "Accepted",
        "declined": "Declined",
        "done": "Done",
        "cancelled": "Cancelled",
    },
    "share": {"active": "In force", "revoked": "Revoked", "expired": "Ended", "suspended": "Suspended"},
    "asked": {"open": "Not answered", "shared": "Shared", "declined": "Declined"},
    "transfer": {
        "offered": "Offered",
        "accepted": "Accepted",
        "declined": "Declined",
        "cancelled": "Taken back",
        "lapsed": "Lapsed",
    },
    "transfer_way": {
        "offer": "Offered by the owner",
        "appointment": "Offered by the agency's administrator",
        "deputy": "Handed over to the deputy",
        "supervisor": "Handed over to the team's supervisor",
    },
    "side": {"victim": "Victim's side", "perpetrator": "Perpetrator's side"},
    "consent": {"given": "Given", "refused": "Refused", "not_sought": "Not sought"},
    "regime": {"part3": "Data Protection Act 2018, Part 3", "uk_gdpr": "UK GDPR"},
    "revoke_reason": {
        "no_longer_needed": "Access is no longer needed",
        "wrong_recipient": "It was shared with the wrong recipient",
        "case_closed": "The case is closed",
        "other": "Another reason",
    },
    "reason": {
        "investigation": "Investigation",
        "safeguarding": "Safeguarding",
        "task": "A task that I was given",
        "meeting": "A multi-agency meeting",
        "supervision": "Supervision",
        "other": "Another reason",
    },
    "via": {
        "owner": "Owner of the case",
        "team": "Member of the owner's team",
        "share": "Shared",
        "break_glass": "Emergency access",
    },
    "conflict": {
        "subject": "The case is about them",
        "household": "They live with somebody whom the case is about",
        "neighbour": "They live near somebody whom the case is about",
        "other": "Another reason",
    },
    "glass": {
        "open": "To be looked into",
        "justified": "It was justified",
        "not_justified": "It was not justified",
    },
    "role": {
        "practitioner": "Practitioner",
        "light_participant": "Light participant",
        "supervisor": "Supervisor",
        "agency_admin": "Agency administrator",
        "agency_dpo": "Agency data protection officer",
        "partnership_dpo": "Partnership data protection officer",
        "security_manager": "Security manager",
        "programme_manager": "Programme manager",
        "governance_member": "Governance member",
        "system_operator": "System operator",
    },
    "agency_type": {
        "police": "Police",
        "local_authority": "Local authority",
        "housing_association": "Housing association",
        "fire_and_rescue": "Fire and rescue",
        "nhs_trust": "NHS trust",
        "probation": "Probation",
        "community_rehabilitation_company": "Community rehabilitation company",
        "vcse": "Charity or social enterprise",
        "policing_body": "Police and Crime Commissioner",
        "operator": "Operator of this system",
    },
    "agency_state": {
        "proposed": "Proposed",
        "protocol_drafted": "Protocol drafted",
        "signed": "Signed",
        "active": "Active",
        "suspended": "Suspended",
        "expired": "Expired",
        "withdrawn": "Withdrawn",
    },
    "protocol_state": {
        "draft": "Draft",
        "signed": "Signed",
        "active": "In force",
        "expired": "Expired",
        "ended": "Ended",
    },
    "device_class": {
        "personal": "Personal device",
        "managed": "Managed device",
        "mobile": "Managed phone or tablet",
    },
    "device_state": {"registered": "Not enrolled yet", "enrolled": "Enrolled", "revoked": "Revoked"},
    "user_state": {"invited": "Invited", "active": "Active", "disabled": "Disabled"},
    "scope": {
        "cases:read": "Read cases",
        "cases:write": "Write to cases",
        "directory:read": "Read the directory",
        "subscriptions": "Subscriptions",
        "provisioning": "Disable the accounts of people who leave (SCIM); nothing else beside it",
    },
    "how": {
        "opened": "Opened",
        "listed": "Seen in a list",
        "streamed": "Live update",
        "delivered": "Delivered to a system",
        "exported": "Exported",
    },
    "exemption": {
        "crime_and_taxation": "Crime and taxation (DPA 2018 Sch 2 para 2)",
        "law_enforcement": "Law enforcement (DPA 2018 s45(4))",
        "immigration": "Immigration (DPA 2018 Sch 2 para 4)",
        "legal_proceedings": "Legal proceedings (DPA 2018 Sch 2 para 5)",
        "regulatory_functions": "Protecting the public (DPA 2018 Sch 2 para 7)",
        "rights_of_others": "Rights of others (DPA 2018 Sch 2 para 16)",
        "legal_privilege": "Legal professional privilege (DPA 2018 Sch 2 para 19)",
        "self_incrimination": "Self incrimination (DPA 2018 Sch 2 para 20)",
        "serious_harm": "Serious harm (DPA 2018 Sch 3)",
    },
    "review_kind": {
        "out_of_hours": "Opened out of hours",
        "volume": "Opened very many cases",
        "no_relation": "Opened many cases without a part in them",
        "own_name": "Searched for the own name",
    },
    "review_state": {"open": "To be looked at", "decided": "Decided"},
    "decision": {"expected": "As expected", "concern": "A concern, to be followed up"},
    "outcome": {"shown": "Shown", "done": "Done", "refused": "Refused"},
    "because": {
        "agency_not_active": "its agency is not active",
        "account_disabled": "the account is disabled",
        "not_activated": "the account is not activated yet",
        "procedure_unsigned": "the Security Operating Procedure is not signed",
        "procedure_missing": "no Security Operating Procedure is published",
        "expired": "its access has ended",
        "agency_suspended": "its agency is suspended",
        "protocol_not_active": "its information sharing protocol is not in force",
        "protocol_expired": "its information sharing protocol has expired",
        "role_required": "no role that allows it",
        "share_expired": "the share has ended",
        "consent_unconfirmed": "consent is not confirmed to the new owner",
        "conflict_of_interest": "there is a conflict of interest",
        "level_too_low": "nothing of it is shown at this level",
        "not_there": "the account was made later",
        "training_required": "the training for this use is not current",
        "network_not_permitted": "the network is not permitted",
        "device_not_permitted": "the device is not permitted",
        "step_up_required": "a fresh code is asked for",
    },
    "step": {
        "principal_active": "The account is active",
        "protocol_active": "A protocol in force covers it",
        "procedure_signed": "The Security Operating Procedure is signed",
        "training_current": "The training for this use is current",
        "place_and_device": "The place and the device are permitted",
        "case_there": "The case was there",
        "no_conflict": "There is no conflict of interest",
        "agencies_active": "Both agencies are active",
        "agency_granted": "Their agency is given access",
        "individual_granted": "They are named, or a team of theirs is",
        "role_held": "They have a role that allows it",
        "level_reached": "The level and the section allow it",
        "grant_in_date": "The access is in date",
        "reason_given": "A reason is given",
    },
    "explained": {
        "know": "Know of it",
        "task": "Work on own tasks",
        "read": "Read it",
        "contribute": "Contribute to it",
        "manage": "Edit it",
        "summary": "Read the section summary",
        "subjects": "Read the section people and places",
        "victim": "Read the section victim",
        "safe_contact": "Read the section safe contact",
        "timeline": "Read the section timeline",
        "intelligence": "Read the section intelligence",
        "tasks": "Read the section tasks",
        "risk": "Read the section risk",
        "documents": "Read the section documents",
        "add_entry": "Add an entry",
        "add_task": "Give somebody a task",
        "share_case": "Share it",
    },
}
"""By vocabulary, then by code, in the order in which choices are offered."""

REFUSALS: dict[str, str] = {
    "malformed": "The page sent something that could not be read. Go back and try again.",
    "unauthenticated": "Your session has ended. Log in again.",
    "bad_credentials": "The user name or password is not right.",
    "sign_in_failed": (
        "Your agency's sign-in did not lead to an account here. If you have been invited, ask your agency's "
        "administrator."
    ),
    "totp_required": "Enter the six-digit code from your authenticator app.",
    "passkey_required": "Use your passkey to log in.",
    "passkey_not_enrolled": "You have no passkey yet. Use a code from your authenticator app.",
    "account_disabled": "This account is disabled. Speak to your agency's administrator.",
    "protocol_not_active": (
        "Your agency has no information sharing protocol in force, so nobody in it can log in yet. "
        "Your agency's lead for the protocol can tell you when it will be."
    ),
    "protocol_expired": (
        "Your agency's information sharing protocol has expired, so nobody in it can log in until it "
        "is renewed."
    ),
    "agency_suspended": "Your agency is suspended or has left the partnership, so nobody in it can log in.",
    "procedure_unsigned": "Read and sign the Security Operating Procedure first.",
    "procedure_missing": (
        "No Security Operating Procedure has been published yet, so nothing can be shown. The "
        "security manager has to publish one."
    ),
    "totp_not_enrolled": "Set up your authenticator app first.",
    "password_change_required": "Change your password first.",
    "role_required": (
        "Your role does not include this. Your agency's administrator can tell you who may do it."
    ),
    "not_owner": "Only the owner of the case may do this.",
    "level_too_low": "Your access to this case does not reach this far. Ask the owner of the case.",
    "reason_required": "Say why you are opening this case.",
    "training_required": "You need current training for this kind of case before you can open it.",
    "network_not_permitted": "Cases of this sensitivity cannot be opened from where you are.",
    "device_not_permitted": "Cases of this sensitivity cannot be opened on this device.",
    "step_up_required": "Enter a new code from your authenticator app, or use a passkey, to open this case.",
    "own_glass": "This was your own emergency access. Somebody else has to look into it.",
    "owner_has_conflict": "You own this case. Transfer it first; then declare the conflict of interest.",
    "cannot_be_named": "This person has a conflict of interest in this case and cannot be named in it.",
    "already_exists": "This is there already.",
    "csrf_required": (
        "This page had been open for too long, or was opened from somewhere else. What you typed is "
        "below; send it again."
    ),
    "not_found": (
        "There is nothing here that you may see. It may never have existed, or your access may have ended."
    ),
    "method_not_allowed": "This page cannot be used in that way.",
    "invalid_transition": "The present state does not allow this. Somebody may have changed it meanwhile.",
    "request_in_progress": (
        "This was already sent and is still being worked on. Wait a moment, then look whether it is there."
    ),
    "procedure_superseded": "A newer version has been published meanwhile. Read and sign that one.",
    "case_closed": "This case is closed. Reopen it before you change anything.",
    "stale": (
        "Somebody changed this while you had it open. What you typed is kept; compare it and send it again."
    ),
    "too_large": "This is too large.",
    "unsupported_type": "The page sent something that could not be read.",
    "invalid": "Some of this is not right.",
    "idempotency_key_reused": (
        "This form was already sent once with other contents. Look whether the first is there; if you "
        "want this one too, send it again."
    ),
    "agency_not_active": "This agency is not active, so nothing can be shared with it.",
    "purpose_not_in_protocol": "The protocol does not cover this purpose between these agencies.",
    "gateway_not_for_recipient": "This legal gateway does not run to this kind of agency. Choose another.",
    "member_not_in_agency": "Somebody named here does not belong to this agency any more.",
    "expiry_beyond_protocol": (
        "The share would outlive the protocol that it rests on. Choose an earlier date."
    ),
    "consent_reason_required": "Say why this is shared without consent.",
    "section_not_for_side": (
        "The victim's details and safe contact are never shared with the perpetrator's side."
    ),
    "assignee_without_access": "This person has no access to the case. Share the case with them first.",
    "url_not_allowed": "The address must be https and public.",
    "if_match_required": "Open the page anew and try again.",
    "rate_limited": "Too many tries. Wait a few minutes and try again.",
    "internal": "Something went wrong here. It has been noted.",
    "not_built": "This is not built yet.",
    "unavailable": (
        "A part of the system is not available at the moment. Nothing is lost: try again shortly."
    ),
}
"""What a person is told, by public code of the problem."""

FIELD_ERRORS: dict[str, str] = {
    "required": "Fill this in",
    "too_long": "This is too long",
    "too_short": "This is too short, or empty",
    "too_many": "There are too many",
    "too_few": "Choose at least one",
    "wrong_form": "This does not have the right form",
    "wrong_type": "This does not have the right form",
    "not_a_choice": "Choose one of the offered answers",
    "out_of_range": "This is out of range",
    "in_the_past": "This must be in the future",
    "in_the_future": "This must not be in the future",
}
"""For codes of single fields; others use the problem's own sentence."""

FIELD_CODES: dict[str, str] = {
    "wrong_password": "This is not your present password",
    "too_common": "This password is known to attackers. Choose another",
    "contains_username": "The password must not contain your user name",
    "same_as_before": "This is the password that you have now. Choose another",
    "wrong_code": "This code is not right. Wait for the next one and try again",
    "token_not_valid": (
        "This activation link has been used or has expired. Ask your administrator for a new one"
    ),
    "passkey_not_valid": "This passkey could not be checked. Try again",
    "code_not_valid": "This code is not right, was used, or has run out. Ask for a new one",
    "before_completion": "This day is before the training was completed",
    "username_taken": "This user name is taken",
    "taken": "This name is taken",
    "unknown_field": "This is not asked for here",
    "not_found": "This was not found",
}
"""What some codes of fields mean, in words of their own."""


def word(vocabulary: str, code: object) -> str:
    """The word for `code`; a code that has none is shown readably rather than hidden."""
    text = str(code)
    return WORDS[vocabulary].get(text) or text.replace("_", " ").replace(".", ", ").capitalize()


def words(vocabulary: str, codes: Iterable[str]) -> str:
    """Several, in a row."""
    return ", ".join(word(vocabulary, code) for code in codes)


def choices(vocabulary: str) -> list[tuple[str, str]]:
    """(code, word) of all."""
    return list(WORDS[vocabulary].items())


def refusal(code: str) -> str:
    """What a person is told about a problem with this public code."""
    return REFUSALS.get(code, "This did not work.")
