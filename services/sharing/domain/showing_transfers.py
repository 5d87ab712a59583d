"""Transfers as they are shown: offers that stand, and what became of the others."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.contracts.sharing.transfers import Holder, TransferState, TransferView
from services.sharing.domain.offers import Offer, Transfer


def show_offer(case_id: str, offer: Offer, now: datetime) -> TransferView:
    """One that nobody has decided."""
    state: TransferState = "offered" if offer.stands(now) else "lapsed"
    return TransferView(**_fields(case_id, offer, state), updated_at=offer.at)


def show_decided(transfer: Transfer) -> TransferView:
    fields = _fields(transfer.case_id, transfer.offer, transfer.state)
    fields |= {"decided_by": transfer.by, "decided_at": transfer.at}
    if transfer.reason is not None:
        fields["decision_reason"] = transfer.reason
    return TransferView(**fields, updated_at=transfer.at)


def _fields(case_id: str, offer: Offer, state: TransferState) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "id": offer.id,
        "case_id": case_id,
        "state": state,
        "way": offer.way,
        "owner": Holder(user=offer.owner.user, agency=offer.owner.agency),
        "to": Holder(user=offer.to, agency=offer.agency),
        "by": offer.by,
        "reason": offer.reason,
        "created_at": offer.at,
        "lapses_at": offer.lapses_at,
    }
    if offer.ground is not None:
        fields |= offer.ground.model_dump(exclude={"clause"})
    return fields
