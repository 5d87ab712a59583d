"""The delivery log of a subscription, and sending again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.chassis.commands import Emit
from services.chassis.mongo import Session
from services.chassis.rpc import command, rpc
from services.contracts import subscriptions as contract
from services.contracts.caller import Caller
from services.contracts.errors import InvalidTransition, NotVisible
from services.contracts.messages import Reply
from services.notify.domain.delivery import Attempt, Delivery
from services.notify.handlers.cursors import cursor_of, place_of
from services.notify.handlers.parts import Parts
from services.notify.handlers.recorded import administered
from services.notify.handlers.subscribing import whose
from services.notify.knowing import may_be_told

_AT_ONCE, _BATCHES = 101, 20
"""Deliveries that are read and asked about together, and how often for one page: more than any page has."""


class Armed(Reply):
    """What is kept of a command: the delivery."""

    delivery_id: str


class DeliveryReading(Parts):
    """A delivery without a number was never sent: it is shown only while its client may know of the event."""

    @rpc
    def list_deliveries(self, request: contract.ListDeliveries, caller: Caller) -> contract.Deliveries:
        """Give one page, newest first. Raises NotVisible."""
        subscription = self.subscriptions.load(request.subscription_id, whose(caller))
        shown, following = self._delivery_page(subscription.id, place_of(request.cursor), request.limit)
        items = tuple(contract.Delivery(**_told(one)) for one in shown)
        return contract.Deliveries(items=items, next=following)

    @command
    def send_again(self, request: contract.SendAgain, caller: Caller) -> contract.DeliveryView:
        """Try a delivery once more, from the start. Raises NotVisible, InvalidTransition (disabled)."""
        subscription = self.subscriptions.load(request.subscription_id, whose(caller))
        if not self._shown([self.deliveries.load(subscription.id, request.delivery_id)]):
            raise NotVisible

        def body(session: Session, emit: Emit) -> Armed:
            if self.subscriptions.load(subscription.id, whose(caller), session).state != "active":
                raise InvalidTransition(cause="subscription is disabled")
            delivery = self.deliveries.load(subscription.id, request.delivery_id, session)
            self.deliveries.arm(delivery, session)
            administered(self.records, caller, "delivery.repeat", subscription.id)
            return Armed(delivery_id=delivery.id)

        armed = self.commands.run(request, Armed, body)
        return contract.DeliveryView(**_told(self.deliveries.load(subscription.id, armed.delivery_id)))

    def _delivery_page(
        self, subscription_id: str, before: str | None, limit: int
    ) -> tuple[list[Delivery], str | None]:
        """So many that may be shown. What may not be is passed over: a short page would tell of it."""
        shown: list[Delivery] = []
        for _ in range(_BATCHES):
            found = self.deliveries.page(subscription_id, before, _AT_ONCE)
            shown += self._shown(found)
            if len(shown) > limit:
                return shown[:limit], cursor_of(shown[limit - 1].id)
            if len(found) < _AT_ONCE:
                return shown, None
            before = found[-1].id
        return shown, cursor_of(str(before))

    def _shown(self, found: Sequence[Delivery]) -> list[Delivery]:
        doubtful = [one for one in found if one.sequence is None]
        refused: set[str] = set()
        if doubtful:
            may = may_be_told(self.sharing, doubtful[0].client_id, [one.item for one in doubtful])
            refused = {one.id for one, known in zip(doubtful, may, strict=True) if not known}
        return [one for one in found if one.id not in refused]


def _told(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "event_id": delivery.item.event_id,
        "type": delivery.item.type,
        "sequence": delivery.sequence,
        "state": delivery.state,
        "attempts": tuple(_attempt(one) for one in delivery.attempts),
        "next_attempt_at": delivery.due,
    }


def _attempt(attempt: Attempt) -> contract.Attempt:
    told: dict[str, Any] = {"at": attempt.at, "status": attempt.status, "ms": attempt.ms}
    return contract.Attempt(**told, **({"error": attempt.error} if attempt.error else {}))
