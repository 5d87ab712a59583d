"""The envelope of every event: CloudEvents 1.0, in structured JSON (https://cloudevents.io).

An event is thin: it says that something about an aggregate changed and names it by id. Readers fetch the rest
through the API, where the fetch is authorised and recorded.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self, TypeAlias, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

from .messages import EventData, Moment

MEDIA_TYPE = "application/cloudevents+json"
"""The content type of an event on the wire (CloudEvents JSON format, structured mode)."""

_SOURCE = "/concordat/"

EventId = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
]
Source = Annotated[str, StringConstraints(pattern=r"^/concordat/[a-z][a-z0-9_-]{0,40}$")]
EventType = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,40}\.[a-z][a-z0-9_]{0,40}$")]
Aggregate = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,40}/[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
]
# 18 digits: the greatest number still fits MongoDB's 64-bit integer.
Sequence = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,17}$")]
TraceParent = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")
]

Data = TypeVar("Data", bound=EventData)
# Inside the class below, `type` is the attribute.
ModelOf: TypeAlias = type[Data]


class Event(BaseModel):
    """One CloudEvent. Unknown attributes are ignored.

    `sequence` is the version of the aggregate taken in the producing transaction: decimal, contiguous from 1
    per (aggregate, producer). Consumers apply in this order and dedupe by `id`.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    specversion: Literal["1.0"] = "1.0"
    id: EventId
    source: Source
    type: EventType
    time: Moment
    subject: Aggregate
    sequence: Sequence
    datacontenttype: Literal["application/json"] = "application/json"
    traceparent: TraceParent | None = None
    data: dict[str, Any]

    @classmethod
    def of(
        cls,
        producer: str,
        event_type: str,
        aggregate: str,
        number: int,
        data: EventData,
        *,
        now: datetime,
        traceparent: str | None = None,
    ) -> Self:
        """Make a new event of the service `producer` about `aggregate` ("notes/<id>") at version `number`."""
        return cls(
            id=new_event_id(),
            source=_SOURCE + producer,
            type=event_type,
            time=now,
            subject=aggregate,
            sequence=str(number),
            traceparent=traceparent,
            data=data.model_dump(mode="json", exclude_none=True),
        )

    @classmethod
    def from_json(cls, body: bytes) -> Self:
        """Read one event. Raises pydantic.ValidationError, whose text shows no input."""
        return cls.model_validate_json(body)

    def to_json(self) -> bytes:
        """The bytes on the wire. An absent attribute is left out, as CloudEvents demands."""
        return self.model_dump_json(exclude_none=True).encode()

    @property
    def number(self) -> int:
        """The version of the aggregate, from 1."""
        return int(self.sequence)

    @property
    def producer(self) -> str:
        """The name of the service that emitted the event."""
        return self.source.removeprefix(_SOURCE)

    def read(self, model: ModelOf[Data]) -> Data:
        """The data as `model`. Raises pydantic.ValidationError."""
        return model.model_validate(self.data)


def new_event_id() -> str:
    """A UUIDv7 (RFC 9562, section 5.7): milliseconds, then 74 random bits, so that ids sort by time."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(UUID(int=value))


def moment_of(event_id: str) -> datetime:
    """When a UUIDv7 was made, to the millisecond."""
    return datetime.fromtimestamp((UUID(event_id).int >> 80) / 1000, UTC)
