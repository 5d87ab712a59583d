"""Witnesses: agencies that watch the log, and sign what they have found to be one history.

audit.list_checkpoints(ListCheckpoints) -> CheckpointList          GET /audit/checkpoints
audit.add_cosignature(AddCosignature) -> Cosigned                  POST /audit/cosignatures

Without a caller, asked by notify alone, which feeds checkpoints to whoever subscribes to them:
audit.newest_checkpoint(NewestCheckpoint) -> SignedCheckpoint

A witness's key is `name+hash+base64` of a C2SP tlog-cosignature key (type 4). The first agency that uses a
name keeps it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from .audit import Size
from .messages import Id, Moment, Reply, Request
from .paging import PageRequest
from .views import View

Note = Annotated[str, StringConstraints(min_length=1, max_length=8000)]
VerifierKey = Annotated[str, StringConstraints(min_length=1, max_length=400)]


class ListCheckpoints(PageRequest):
    """The history of checkpoints, the newest first."""


class CosignatureBody(BaseModel):
    """`note`: the checkpoint as the log signed it, with the witness's cosignature line after the log's."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    note: Note
    verifier_key: VerifierKey


class AddCosignature(Request):
    """Keep a witness's cosignature.

    Invalid: no note of this log, or not cosigned with the key. AlreadyExists: another key, or agency, has the
    name, or the agency has eight witnesses. InvalidTransition: what the log has signed here is not what it
    has: it forked, or went back. That is kept and alarmed: the note proves it, whoever brings it.
    """

    body: CosignatureBody


class Cosigned(View):
    """The cosignature is kept."""

    size: int
    witness: str


class Witness(Reply):
    """Who cosigned a checkpoint, and when they say they did."""

    name: str
    agency_id: Id
    at: Moment


class CheckpointItem(Reply):
    """A checkpoint with all its signatures."""

    size: Size
    root_hash: str
    at: Moment
    note: str
    witnesses: tuple[Witness, ...]


class CheckpointList(View):
    items: tuple[CheckpointItem, ...]
    next: str | None


class NewestCheckpoint(Request):
    """Raises Unavailable while there is none."""


class SignedCheckpoint(Reply):
    """`note`: with the cosignatures that there are; `root_hash` is base64."""

    origin: str
    size: int
    root_hash: str
    note: str
    at: Moment
