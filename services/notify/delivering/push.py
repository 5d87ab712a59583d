"""One push: connect, ask whether it is allowed now, number it, record it, send it.

The order is the security property (V2, V3). From the asking to the sending is less than a second, or it is
asked anew.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from services.chassis.addresses import target_of
from services.chassis.client import Peer
from services.chassis.context import Context, use
from services.chassis.deadline import Deadline
from services.chassis.logs import log
from services.chassis.offload import heavy
from services.chassis.outward import Connection, NotReached, addresses_of
from services.chassis.recording import Keeper
from services.chassis.safekeeping import Safe
from services.contracts.envelope import new_event_id
from services.contracts.errors import ConcordatError, Unavailable, UrlNotAllowed
from services.contracts.records import Actor, Object, Record
from services.notify.domain import signature
from services.notify.domain.delivery import Attempt, Delivery, ErrorCode, after
from services.notify.domain.items import Item
from services.notify.knowing import may_be_told
from services.notify.settings import NotifySettings
from services.notify.stores.deliveries import DeliveryStore
from services.notify.stores.subscriptions import Subscription, SubscriptionStore

FRESH = 0.9
"""Seconds for which an answer of `sharing` is good: the bytes have left within one."""
ASKED_ANEW = 3
AUTHORISE_SECONDS = 4.0
PUT_OFF_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Tools:
    """What a push works with. `holds`: this process still has the subscription's lease."""

    subscriptions: SubscriptionStore
    deliveries: DeliveryStore
    sharing: Peer
    records: Keeper
    safe: Safe
    settings: NotifySettings


class _TooSlow(Exception):
    """From asking to sending took too long, several times."""


class _NotAllowed(Exception):
    """The client may not know of it now."""


@dataclass(slots=True)
class Push:
    """A delivery at the head of its lane, to be tried once."""

    tools: Tools
    subscription: Subscription
    delivery: Delivery
    holder: str
    holds: Callable[[], bool]

    def run(self) -> None:
        """Try, and store what came of it."""
        with use(Context(new_event_id(), Deadline.after(30.0))):
            try:
                self._settle(*self._try())
            except _NotAllowed:
                self.tools.deliveries.withhold(self.delivery)
            except (Unavailable, _TooSlow) as problem:
                log.warning("push_put_off", exc_info=problem)
                self._put_off()
            except ConcordatError as problem:
                log.error("push_not_made", exc_info=problem)
                self._put_off()

    def _try(self) -> tuple[int | None, ErrorCode | None, int]:
        """Status, error, milliseconds."""
        began = time.monotonic()
        try:
            target = target_of(self.subscription.url, demo=self.tools.settings.demo)
            with Connection.open(target, lambda host, port: heavy(addresses_of, host, port)) as connection:
                body = self._authorised()
                headers = signature.headers(
                    self._secret(), self.delivery.item.event_id, body, datetime.now(UTC)
                )
                began = time.monotonic()
                return connection.post(body, headers), None, _since(began)
        except UrlNotAllowed:
            return None, "address_not_allowed", _since(began)
        except NotReached as failed:
            return None, failed.code, _since(began)

    def _authorised(self) -> bytes:
        """The body, which may be sent now. Raises _NotAllowed, _TooSlow, Unavailable."""
        for _ in range(ASKED_ANEW):
            asked = time.monotonic()
            with use(Context(new_event_id(), Deadline.after(AUTHORISE_SECONDS))):
                told = self.delivery.item
                if not may_be_told(self.tools.sharing, self.delivery.client_id, [told])[0]:
                    raise _NotAllowed
                number = self.tools.deliveries.give_number(
                    self.delivery, self.tools.subscriptions, self.holder, Deadline.after(AUTHORISE_SECONDS)
                )
                if isinstance(told, Item):  # a record of each checkpoint would call for the next one
                    self.tools.records.keep(self._record(told))
            if not self.holds():
                raise Unavailable(cause="lease lost")
            if time.monotonic() - asked < FRESH:
                return self.delivery.item.thin(number).model_dump_json(exclude_unset=True).encode()
            self.delivery = replace(self.delivery, sequence=number)  # given once, and kept
        raise _TooSlow

    def _secret(self) -> str:
        try:
            return signature.secret_of(self.tools.safe.open(self.subscription.kid, self.subscription.secret))
        except LookupError:
            raise Unavailable(cause="secret cannot be opened") from None

    def _record(self, item: Item) -> Record:
        subscription = self.subscription
        shown = Object(
            type="case",
            id=item.case_id,
            agency_id=item.owner_agency_id,
            sections=(item.section,) if item.section else (),
        )
        return Record(
            id=new_event_id(),
            at=datetime.now(UTC),
            actor=Actor(
                kind="client",
                id=subscription.client_id,
                agency_id=subscription.agency_id,
                accountable_id=subscription.accountable_id,
            ),
            action="event.deliver",
            operation="disclosure",
            how="delivered",
            objects=(shown,),
            outcome="shown",
            request_id=self.delivery.id,
        )

    def _settle(self, status: int | None, error: ErrorCode | None, milliseconds: int) -> None:
        now = datetime.now(UTC)
        attempt = Attempt(now - timedelta(milliseconds=milliseconds), milliseconds, status, error)
        step = after(attempt, self.delivery, self.tools.settings.schedule, now, _chance())
        self.tools.deliveries.attempted(self.delivery, attempt, step)
        if step.disables:
            self.tools.subscriptions.disable(self.subscription.id)
            self.tools.deliveries.fail_all(self.subscription.id)
            log.warning("subscription_disabled", reason="gone")

    def _put_off(self) -> None:
        pause = timedelta(seconds=PUT_OFF_SECONDS * (0.5 + _chance()))
        self.tools.deliveries.put_off(self.delivery, datetime.now(UTC) + pause)


def _chance() -> float:
    return random.random()  # noqa: S311  # jitter is no secret


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
