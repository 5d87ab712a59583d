"""What somebody has typed so far into a form of several steps. It travels in the page, and is stored nowhere.

Nothing in it is believed: when it is sent, everything is checked by whom it is sent to.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from services.contracts.errors import Malformed

_Text = Annotated[str, Field(max_length=20_000)]
_Short = Annotated[str, Field(max_length=300)]
Step = TypeVar("Step", bound="_Draft")


class _Draft(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    def write(self) -> str:
        """As it stands in the page."""
        return self.model_dump_json(exclude_defaults=True)


class DraftSubject(_Draft):
    """One that there is already (`id`), or the body of a new one."""

    id: _Short = ""
    name: _Short
    kind: _Short
    role: _Short
    body: dict[str, JsonValue] | None = None


class DraftReport(_Draft):
    occurred_at: _Short
    reported_at: _Short | None = None
    channel: _Short | None = None
    text: _Text


class CaseDraft(_Draft):
    """A new case, before it is one. `case_id`: it is one, but not all reports are in it yet."""

    template: _Short = ""
    title: _Short = ""
    priority: _Short = ""
    marking: _Short = ""
    owner_team_id: _Short = ""
    summary: Annotated[str, Field(max_length=10_000)] = ""
    subjects: Annotated[list[DraftSubject], Field(max_length=100)] = []
    reports: Annotated[list[DraftReport], Field(max_length=30)] = []
    case_id: _Short = ""


class DraftMember(_Draft):
    kind: Literal["user", "team", "client"]
    id: _Short
    name: _Short


class ShareDraft(_Draft):
    """A share, before it is one. `terms` is protocol, purpose and gateway as one choice."""

    agency_id: _Short = ""
    members: Annotated[list[DraftMember], Field(max_length=50)] = []
    level: _Short = ""
    sections: Annotated[list[_Short], Field(max_length=9)] = []
    side: _Short = ""
    terms: Annotated[list[_Short], Field(max_length=3)] = []
    consent: _Short = ""
    consent_reason: _Short | Annotated[str, Field(max_length=500)] = ""
    expires_on: _Short = ""
    note: Annotated[str, Field(max_length=2000)] = ""


def read_draft(model: type[Step], text: str) -> Step:
    """What the page carried. Raises Malformed."""
    try:
        return model.model_validate_json(text or "{}")
    except ValidationError:
        raise Malformed(cause="draft") from None


def fingerprint(body: Any) -> str:
    """So that the same thing sent twice has one key, and another thing has another."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()[:16]
