"""A case that is large wherever one can be: what of its size shows in an answer that hides it?"""

from __future__ import annotations

from collections.abc import Sequence

from deploy.demo import story
from deploy.demo.api import Api
from services.contracts.sharing.shares import MOST_SHARES

SUBJECTS = 60
ENTRIES = 60
SHARES = MOST_SHARES - 2
"""The owner's team has one; one more is given, and taken back."""


def open_big(owner: Api, team_id: str, agency_id: str, protocol_id: str, user_ids: Sequence[str]) -> str:
    """Its id. Every share names all of `user_ids`, who are of the agency; the last share was taken back, so
    that everyone of the agency carries a fence for the case."""
    tale = story.fresh()
    about = [
        owner.post(
            "/subjects", {"kind": "family", "name": f"Family {number} of {tale.tag}", "team_id": team_id}
        )
        for number in range(SUBJECTS)
    ]
    case_id = str(
        owner.post(
            "/cases",
            {
                "template": "complex_asb",
                "title": tale.title,
                "priority": "high",
                "marking": "official",
                "owner_team_id": team_id,
                "subjects": [{"subject_id": one["id"], "role": "family"} for one in about],
                "summary": "Everything happened here. " * 60,
            },
        )["id"]
    )
    for number in range(ENTRIES):
        story.note(owner, case_id, f"Note {number}")
    share = story.share_body(agency_id, protocol_id, [{"user_id": one} for one in user_ids])
    for _ in range(SHARES):
        owner.post(f"/cases/{case_id}/shares", share)
    gone = owner.post(f"/cases/{case_id}/shares", share)
    owner.delete(f"/cases/{case_id}/shares/{gone['id']}?reason=other")
    return case_id
