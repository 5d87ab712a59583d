"""The main job, step by step, over HTTP: what the demonstration is filled with, and `make journey` walks.

An officer opens a complex anti-social behaviour case about a family who are harassed at their home, shares it
with the landlord under a protocol, works on it with a housing officer, and takes the share back.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from deploy.demo.api import Api, Refusal, key_of

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Tale:
    """One case with the people and places in it. `tag` makes its keys its own."""

    tag: str
    title: str
    surname: str
    given: str
    street: str
    postcode: str

    def key(self, *what: Any) -> str:
        return key_of("tale", self.tag, *what)


MAIN = Tale(
    "main",
    "Harassment of the Pelling family at Larch Walk",
    "Pelling",
    "Ruth",
    "14 Larch Walk",
    "TS18 2AA",
)
OTHERS = (
    Tale("noise", "Noise and threats at Quayside Court", "Ivory", "Samuel", "3 Quayside Court", "TS24 0XX"),
    Tale("fires", "Deliberate fires behind Orchard Parade", "Teal", "Marion", "Orchard Parade", "TS6 9AB"),
)


def fresh() -> Tale:
    """A tale that nobody has told: for a walk through a system that has others in it."""
    tag = uuid.uuid4().hex[:8]
    return Tale(tag, f"Journey {tag}", "Pelling", "Ruth", "14 Larch Walk", "TS18 2AA")


def subjects(officer: Api, team_id: str, tale: Tale) -> dict[str, str]:
    """A victim, the family and their home; their ids by role."""
    person = {
        "kind": "person",
        "names": [{"given": tale.given, "family": tale.surname, "type": "legal"}],
        "born": {"date": "1968-04-02", "precision": "month"},
        "team_id": team_id,
    }
    family = {"kind": "family", "name": f"{tale.surname} family", "team_id": team_id}
    home = {
        "kind": "premises",
        "address": {"lines": [tale.street, "Stockton-on-Tees"], "postcode": tale.postcode},
        "team_id": team_id,
    }
    made = {}
    for role, body in (("victim", person), ("family", family), ("premises", home)):
        made[role] = officer.post("/subjects", body, key=tale.key("subject", role))["id"]
    links = (("member_of_family", "victim", "family"), ("resides_at", "family", "premises"))
    for kind, source, target in links:
        body = {"kind": kind, "to_subject_id": made[target], "source": "Told by the victim"}
        officer.post(f"/subjects/{made[source]}/links", body, key=tale.key("link", kind))
    return made


def open_case(officer: Api, team_id: str | None, tale: Tale, about: dict[str, str]) -> Body:
    """The case, with two incident reports in it."""
    case: Body = officer.post(
        "/cases",
        {
            "template": "complex_asb",
            "title": tale.title,
            "priority": "high",
            "marking": "official_sensitive",
            "owner_team_id": team_id,
            "subjects": [{"subject_id": one, "role": role} for role, one in about.items()],
            "summary": "Repeated harassment by a group of young people, reported to police, council and "
            "landlord one incident at a time.",
        },
        key=tale.key("case"),
    )
    now = datetime.now(UTC).replace(microsecond=0)
    told = (
        (40, "101", "Stones thrown at the front windows at about 21:30 by five or six youths. No injury."),
        (9, "999", "Fireworks pushed through the letter box. Mother and daughter sheltering upstairs."),
    )
    for days, channel, text in told:
        body = {
            "type": "incident_report",
            "occurred_at": (now - timedelta(days=days)).isoformat(),
            "reported_at": (now - timedelta(days=days, hours=-1)).isoformat(),
            "channel": channel,
            "text": text,
            "subject_ids": [about["victim"]],
        }
        try:
            officer.post(f"/cases/{case['id']}/entries", body, key=tale.key("report", channel, days))
        except Refusal as refusal:
            # Told before: the moments in it differ from one telling to the next.
            if refusal.code != "idempotency_key_reused":
                raise
    return case


def share_body(agency_id: str, protocol_id: str, members: list[Body], **more: Any) -> Body:
    """A share at contribute, for preventing anti-social behaviour under section 115."""
    return {
        "agency_id": agency_id,
        "members": members,
        "level": "contribute",
        "sections": ["summary", "subjects", "timeline", "tasks"],
        "purpose": "asb",
        "protocol_id": protocol_id,
        "legal_gateway": "cda1998_s115",
        "consent": {"state": "given"},
        "expires_at": (datetime.now(UTC) + timedelta(days=60)).replace(microsecond=0).isoformat(),
        **more,
    }


def note(api: Api, case_id: str, text: str, *, key: str | None = None) -> Body:
    now = datetime.now(UTC).replace(microsecond=0).isoformat()
    body = {"type": "note", "occurred_at": now, "text": text}
    found: Body = api.post(f"/cases/{case_id}/entries", body, key=key, Access_Reason="investigation")
    return found


def task(api: Api, case_id: str, user_id: str, title: str, *, days: int = 7, key: str | None = None) -> Body:
    due = (datetime.now(UTC) + timedelta(days=days)).date().isoformat()
    body = {"title": title, "assignee": {"user_id": user_id}, "due_on": due}
    found: Body = api.post(f"/cases/{case_id}/tasks", body, key=key)
    return found
