"""What the handlers work with; `service.py` provides it."""

from __future__ import annotations

from services.chassis.client import Peer
from services.chassis.commands import CommandLog
from services.chassis.recording import Keeper
from services.chassis.safekeeping import Safe
from services.notify.delivering.office import Office
from services.notify.settings import NotifySettings
from services.notify.stores.deliveries import DeliveryStore
from services.notify.stores.items import ItemStore
from services.notify.stores.marks import MarkStore
from services.notify.stores.subscriptions import SubscriptionStore


class Parts:
    """The dependencies of `NotifyService`."""

    items: ItemStore
    marks: MarkStore
    subscriptions: SubscriptionStore
    deliveries: DeliveryStore
    office: Office
    commands: CommandLog
    records: Keeper
    safe: Safe
    sharing: Peer
    audit: Peer
    settings: NotifySettings
