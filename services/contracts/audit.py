"""The log as it is read: entries, proofs, checkpoints, keys, the export, consultations.

audit.list_entries(ListEntries) -> EntryList                        GET /audit/entries
audit.get_entry(GetEntry) -> EntryView                              GET /audit/entries/{id}
audit.get_proof(GetProof) -> Proof                                  GET /audit/entries/{id}/proof?size=
audit.latest_checkpoint(LatestCheckpoint) -> Checkpoint             GET /audit/checkpoints/latest
audit.get_consistency(GetConsistency) -> Consistency                GET /audit/consistency?from=&to=
audit.list_keys(ListKeys) -> KeyList                                GET /audit/keys
audit.export_entries(ExportEntries) -> ExportPage                   GET /audit/export
audit.list_own_consultations(ListOwnConsultations) -> OwnConsultations     GET /me/consultations
audit.list_case_consultations(ListCaseConsultations) -> Consultations      GET /cases/{id}/consultations

All are queries. What shows a part of the log is itself recorded first (`log.read`, `log.export`): its
`disclosed` is set. Keys, checkpoints and consistency proofs say nothing of anybody and are not.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .aliases import AliasedReply, AliasedRequest
from .messages import Id, Moment, Reply, Request
from .paging import Cursor, PageRequest, Ref
from .records import Action, How, Outcome
from .views import View

Size = Annotated[int, Field(ge=0, le=2**53)]
"""How many entries a tree has; the largest whole number that every JSON reader holds exactly."""


class ListEntries(PageRequest):
    """A part of the log, the newest first. `since` and `until` are the API's `from` (included) and `to`
    (excluded), of the time of the act.

    Who may read what: everyone own acts, an agency's DPO those of its people or of its data, the
    partnership's DPO all, the owner of `case_id` what concerns that case. Nothing else is found.
    """

    actor_id: Id | None = None
    agency_id: Id | None = None
    case_id: Id | None = None
    subject_id: Id | None = None
    action: Action | None = None
    outcome: Outcome | None = None
    since: Moment | None = None
    until: Moment | None = None


class GetEntry(Request):
    """One entry. NotVisible for one that there is not, or that is not the caller's to see."""

    entry_id: Id


class GetProof(Request):
    """That an entry is in the tree of `size` entries, by default the one of the latest checkpoint.

    NotVisible as for `GetEntry`; Invalid (/size) for a tree without the entry or larger than the latest
    checkpoint; Unavailable while no checkpoint covers the entry yet.
    """

    entry_id: Id
    size: Size | None = None


class LatestCheckpoint(Request):
    """The newest signed statement of the log's size and root."""


class GetConsistency(AliasedRequest):
    """That the tree of `until` entries begins with the tree of `since` entries (`from` and `to` of the API).

    Invalid (/from, /to) for sizes in the wrong order or beyond the latest checkpoint.
    """

    since: Size = Field(alias="from")
    until: Size = Field(alias="to")


class ListKeys(Request):
    """Every key that has signed checkpoints."""


class ExportEntries(Request):
    """The whole log in pieces: without a cursor from the start, then with each `next` until it is null."""

    cursor: Cursor | None = None


class ListOwnConsultations(PageRequest):
    """What the caller was shown, or refused, the newest first."""


class ListCaseConsultations(PageRequest):
    """Who was shown what of a case, or was refused: for its owner. NotVisible, NotOwner."""

    case_id: Id


class EntryObject(Reply):
    """One thing that the entry is about."""

    type: str
    id: str
    sections: tuple[str, ...]


class EntryView(View):
    """One entry. `index` is its place in the log. `accountable`, `use` and `reason` are absent if there is
    none."""

    id: str
    index: int | None
    at: Moment
    actor: Ref
    accountable: Ref | None = None
    agency: Ref
    action: str
    objects: tuple[EntryObject, ...]
    use: str | None = None
    reason: str | None = None
    outcome: Outcome
    request_id: str


class EntryList(View):
    items: tuple[EntryView, ...]
    next: str | None


class Proof(View):
    """An inclusion proof (RFC 9162, 2.1.3). `leaf` and `hashes` are base64; the leaf's hash is
    SHA-256(0x00 ‖ leaf)."""

    index: int
    size: int
    leaf: str
    hashes: tuple[str, ...]


class Checkpoint(View):
    """`note` is a C2SP signed note whose text is a C2SP tlog-checkpoint; `root_hash` is base64."""

    origin: str
    size: int
    root_hash: str
    note: str


class Consistency(AliasedReply, View):
    """A consistency proof (RFC 9162, 2.1.4); `since` and `until` are `from` and `to` in the body."""

    since: int = Field(alias="from")
    until: int = Field(alias="to")
    hashes: tuple[str, ...]


class LogKey(AliasedReply):
    """`verifier_key` is C2SP's "name+hash+base64"; `since` is `from` in the body."""

    name: str
    algorithm: Literal["ed25519"]
    verifier_key: str
    since: Moment = Field(alias="from")
    until: Moment | None


class KeyList(View):
    items: tuple[LogKey, ...]
    next: str | None


class ExportPage(View):
    """A piece of the export. `lines` are ready to be written, each followed by a line feed; the gateway MUST
    NOT write them anew. The last page's last line is the checkpoint, `{"note": …}`.

    Every line is `{index, leaf, hash, detail?, salt?}`. `detail` is text (JSON, whose bytes the leaf commits
    to together with the salt); an agency's DPO gets it of what concerns the own agency alone.
    """

    lines: tuple[str, ...]
    next: str | None


class Consultation(Reply):
    """One look, or one refusal. `accountable` and `reason` are absent if there is none."""

    entry_id: str
    at: Moment
    actor: Ref
    accountable: Ref | None = None
    agency: Ref
    how: How
    sections: tuple[str, ...]
    reason: str | None = None
    outcome: Literal["shown", "refused"]


class Consultations(View):
    items: tuple[Consultation, ...]
    next: str | None


class OwnConsultation(Consultation):
    """`objects` says of what: the own log tells everything that the reader was shown."""

    action: str
    objects: tuple[EntryObject, ...]


class OwnConsultations(View):
    items: tuple[OwnConsultation, ...]
    next: str | None
