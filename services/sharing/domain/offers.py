"""A case that is offered to a new owner: what is kept while it is open, and what once it was decided.

Pure data. An open offer stands in the ownership; one that was decided goes among the transfers of the case
and stays there (R37).
"""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from services.contracts.access import Owner, Share
from services.contracts.messages import Moment
from services.contracts.paging import Ref
from services.contracts.sharing.transfers import TransferState, TransferWay


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Ground(_Kept):
    """What lets a case go to another agency: a gateway of a protocol in force that runs to that agency."""

    protocol_id: str
    purpose: str
    clause: str
    legal_gateway: str


class Offer(_Kept):
    """`owner`: whose the case was when it was offered. `by`: who offered it; None: nobody was asked, for the
    owner cannot act any more. `ground`: only where it goes to another agency."""

    id: str
    way: TransferWay
    owner: Owner
    to: Ref
    agency: Ref
    reason: str
    by: Ref | None
    at: Moment
    lapses_at: Moment
    ground: Ground | None = None

    def stands(self, now: datetime) -> bool:
        return now < self.lapses_at

    def share(self) -> Share:
        """To whom a case is offered knows of it, and no more, for as long as the offer stands. It ends with
        the protocol that it rests on, as shares do."""
        ground = self.ground
        return Share(
            id=self.id,
            kind="offer",
            agency_id=self.agency.id,
            user_ids=(self.to.id,),
            level="know",
            sections=(),
            protocol_id=ground.protocol_id if ground else None,
            purpose=ground.purpose if ground else None,
            expires_at=self.lapses_at,
        )


class Transfer(_Kept):
    """An offer that was decided. `by` None: by the clock, or because an owner could not act any more."""

    case_id: str
    offer: Offer
    state: TransferState
    by: Ref | None
    reason: str | None
    at: Moment
