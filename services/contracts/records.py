"""What the holder of data tells `audit` before data leaves, or before a change takes effect.

One record per reply (V3). It names things by id, says which sections at which version, and never holds
content (DPA 2018 s62). It travels sealed and is confirmed by a majority of the broker's nodes.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from .envelope import EventId
from .messages import Moment

Operation = Literal[
    "consultation", "disclosure", "collection", "alteration", "combination", "erasure", "administration"
]
"""DPA 2018 s62(1), and what is none of these: log-ins, signatures, grants, administrative acts."""
How = Literal["opened", "listed", "streamed", "delivered", "exported"]
Outcome = Literal["shown", "done", "refused"]
Action = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,30}\.[a-z][a-z_]{0,30}$")]
"""`noun.verb`: case.read, case.list, entry.add, share.revoke, session.create, log.read, …"""

PROMISE = timedelta(seconds=60)
"""How long after `at` a record is in the log at the latest, and under a checkpoint: `Inclusion-By`."""
Number = Annotated[int, Field(ge=0, lt=2**53)]
PublisherId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{0,64}$")]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Actor(_Frozen):
    """Who acted: a person, a client with its accountable person, or a service on its own."""

    kind: Literal["user", "client", "service"]
    id: str
    agency_id: str
    accountable_id: str | None = None


class Object(_Frozen):
    """One thing shown, changed or refused. `agency_id` is whose data it is (the owner's agency)."""

    type: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,30}$")]
    id: str
    agency_id: str | None = None
    sections: tuple[str, ...] = ()
    version: int | None = None


class Record(_Frozen):
    """One entry of the log, before it has an index.

    `id` is a UUIDv7 made for this reply: a second attempt at a request has another. (`publisher`, `number`)
    counts the records of one process without a gap; the chassis fills them in. `doubtful` are ranges of its
    numbers (first, last) that were never confirmed: nothing was shown under them, and they may never arrive.
    """

    id: EventId
    at: Moment
    actor: Actor
    action: Action
    operation: Operation
    how: How | None = None
    objects: tuple[Object, ...] = ()
    use: str | None = None
    reason: str | None = None
    outcome: Outcome
    code: str | None = None
    request_id: str
    service: str = ""
    publisher: PublisherId = ""
    number: Number = 0
    doubtful: tuple[tuple[Number, Number], ...] = ()


class Mark(_Frozen):
    """How far a process has counted, said now and then, and when it ends: so what was lost together with all
    that came after it is missed, too.

    `last` is the number of its last record; `doubtful` as in `Record`. `ended`: it records nothing more.
    """

    service: str = ""
    publisher: PublisherId = ""
    last: Number
    doubtful: tuple[tuple[Number, Number], ...] = ()
    ended: bool = False
