"""Receipts, and statements to people of who consulted or received what is held of them.

audit.get_receipt(GetReceipt) -> Receipt                            GET /audit/entries/{id}/receipt
audit.preview_statement(PreviewStatement) -> StatementPreview       GET /audit/statements/preview?subject_id=
audit.issue_statement(IssueStatement) -> StatementView              POST /audit/statements
audit.list_statements(ListStatements) -> StatementList              GET /audit/statements
audit.get_statement(GetStatement) -> StatementPart                  GET /audit/statements/{id}, piece by piece

What `get_receipt` answers, and what the gateway makes of all parts of a statement, are files that
`deploy/verifier.py` checks with nothing but the log's public key.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .aliases import AliasedReply, AliasedRequest
from .audit import Checkpoint, Proof
from .messages import Id, Moment, Reply, Request
from .paging import Cursor, PageRequest, Ref
from .views import View

MOST_LINES = 5000
"""Of one statement: whoever has more is given several, of shorter periods."""

Exemption = Literal[
    "crime_and_taxation",
    "law_enforcement",
    "immigration",
    "legal_proceedings",
    "regulatory_functions",
    "rights_of_others",
    "legal_privilege",
    "self_incrimination",
    "serious_harm",
]
"""Why it is withheld: DPA 2018 Sch 2 paras 2, 4, 5, 7, 16, 19, 20; Sch 3; for `law_enforcement` s45(4)."""


class GetReceipt(Request):
    """One entry with all that proves it. NotVisible; Unavailable while no checkpoint covers it."""

    entry_id: Id


class ReceiptEntry(Reply):
    """The entry. `detail` (JSON as text) and `salt` (base64) are what the leaf commits to: absent where the
    reader may see only a part of the entry."""

    id: str
    index: int
    detail: str | None = None
    salt: str | None = None


class Receipt(View):
    """Entry, inclusion proof in the checkpoint's tree, and the checkpoint."""

    entry: ReceiptEntry
    proof: Proof
    checkpoint: Checkpoint


class Withholding(Request):
    """An entry that the person is not told of, or only without names: `what`."""

    entry_id: Id
    exemption: Exemption
    what: Literal["entry", "names"] = "entry"


class Period(AliasedRequest):
    """`since` is `from` in every JSON, included; `until` is `to`, excluded."""

    since: Moment | None = Field(default=None, alias="from")
    until: Moment | None = Field(default=None, alias="to")


class StatementBody(Period):
    subject_id: Id
    withhold: Annotated[tuple[Withholding, ...], Field(max_length=500)] = ()


class PreviewStatement(Period):
    """What a statement would say now. RoleRequired; NotVisible for another agency's subject; Invalid
    (/from `too_many`)."""

    subject_id: Id


class IssueStatement(Request):
    """Make a statement and commit the log to it. As `PreviewStatement`, and Invalid (/withhold/N/entry_id)
    for what is not in the statement."""

    statement: StatementBody


class ListStatements(PageRequest):
    """Those issued by the own agency; by any for the partnership's officer; the newest first."""


class GetStatement(Request):
    """A piece of a statement; the first without a cursor. NotVisible; Unavailable until the log has, under a
    checkpoint, that it was issued."""

    statement_id: Id
    cursor: Cursor | None = None


class Power(Reply):
    """Under what another agency had it: the share in force at the time. Absent for the owner's own agency."""

    share_id: str
    purpose: str | None = None
    legal_gateway: str | None = None
    protocol_id: str | None = None
    regime: str | None = None


class Said(Reply):
    """What one line of a statement says when nothing is withheld. Fields without a value are absent. `to`:
    the agency that was given the case."""

    id: str
    at: Moment
    action: str
    how: str | None = None
    actor: Ref
    accountable: Ref | None = None
    agency: Ref
    to: Ref | None = None
    case_id: str | None = None
    sections: tuple[str, ...] = ()
    use: str | None = None
    reason: str | None = None
    power: Power | None = None


class StatementPreview(View):
    items: tuple[Said, ...]


class StatementItem(AliasedReply):
    """One statement. `scope`: of all looks, or of those of one agency's people or data. `lines` counts all,
    `withheld` those without content, `redacted` those without names."""

    id: str
    subject_id: str
    created_at: Moment
    issued_by: Ref
    agency: Ref
    scope: Literal["agency", "partnership"]
    since: Moment | None = Field(alias="from")
    until: Moment = Field(alias="to")
    lines: int
    withheld: int
    redacted: int


class StatementView(StatementItem, View):
    """As it is answered when it is made."""


class StatementList(View):
    items: tuple[StatementItem, ...]
    next: str | None


class StatementLine(Reply):
    """`text` is JSON, hashed as it is; `hashes` prove its entry. `detail` and `salt` are what the entry's
    leaf commits to, where all of it may be told."""

    text: str
    hashes: tuple[str, ...]
    detail: str | None = None
    salt: str | None = None


class StatementRecord(Reply):
    """The entry by which the log committed to the statement: it names the digest of head and lines."""

    index: int
    leaf: str
    detail: str
    salt: str
    hashes: tuple[str, ...]


class StatementPart(View):
    """A piece. The file is one object: `id`, `head`, `record`, `checkpoint` of the first piece, and the
    `lines` of all; without `next`."""

    id: str
    head: str
    record: StatementRecord
    checkpoint: str
    lines: tuple[StatementLine, ...]
    next: str | None


class StatementFile(Reply):
    """All pieces as one: what `GET /audit/statements/{id}` answers and the verifier checks."""

    id: str
    head: str
    record: StatementRecord
    checkpoint: str
    lines: tuple[StatementLine, ...]
