"""Who must be told: inbox, subscriptions, deliveries, live streams."""

from __future__ import annotations

from services.chassis.client import Peer, Remote
from services.chassis.commands import CommandLog, Commands
from services.chassis.configured import Configured
from services.chassis.recording import Keeper, Recording
from services.chassis.safekeeping import Safe, Safekeeping
from services.chassis.stored import Stored
from services.notify.delivering.office import Office
from services.notify.handlers.deliveries import DeliveryReading
from services.notify.handlers.feeding import Feeding
from services.notify.handlers.hearing import Hearing
from services.notify.handlers.inbox import InboxReading
from services.notify.handlers.listening import Listening
from services.notify.handlers.streaming import Streaming
from services.notify.handlers.subscribing import Subscribing
from services.notify.handlers.sweeping import Sweeping
from services.notify.settings import NotifySettings
from services.notify.stores.deliveries import DeliveryStore
from services.notify.stores.heard import HeardStore
from services.notify.stores.items import ItemStore
from services.notify.stores.marks import MarkStore
from services.notify.stores.steps import STEPS
from services.notify.stores.subscriptions import SubscriptionStore


class NotifyService(
    Listening, Streaming, InboxReading, Subscribing, DeliveryReading, Sweeping, Feeding, Hearing
):
    """Tells those concerned what happened, as far as they may know of it when they are told."""

    name = "notify"
    settings_model = NotifySettings

    items: ItemStore = Stored(ItemStore, STEPS)
    heard: HeardStore = Stored(HeardStore, STEPS)
    marks: MarkStore = Stored(MarkStore, STEPS)
    subscriptions: SubscriptionStore = Stored(SubscriptionStore, STEPS)
    deliveries: DeliveryStore = Stored(DeliveryStore, STEPS)
    office: Office = Stored(
        lambda database: Office(SubscriptionStore(database), DeliveryStore(database)), STEPS
    )
    commands: CommandLog = Commands()
    records: Keeper = Recording()
    safe: Safe = Safekeeping()
    sharing: Peer = Remote("sharing")
    audit: Peer = Remote("audit")
    settings: NotifySettings = Configured()
