"""The shapes that every message between services is made of.

A `Request` refuses fields it does not know, so that a misspelt field is an error and never a silent default.
A `Reply` and an `EventData` ignore them, so that a producer may add fields before its readers know them:
contracts change by addition only.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # of the first or last day that there is, in another zone
        raise ValueError("outside of what dates reach") from None


Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
"""An opaque identifier. It MUST NOT be made from personal data: ids appear in events, URLs and logs."""

Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A point in time, held in UTC. A time without a zone is refused."""


class Request(BaseModel):
    """What one service asks of another. Unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Reply(BaseModel):
    """What a service answers. Unknown fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class EventData(BaseModel):
    """The data of a thin event: ids only, never content. Unknown fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)
