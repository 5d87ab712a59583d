"""What a service with commands declares, `commands: CommandLog = Commands()`: runs them, relays events."""

from __future__ import annotations

import uuid
from typing import Any

import eventlet
from nameko.extensions import DependencyProvider

from services.chassis.commandlog import CommandLog, Emit
from services.chassis.confirms import ConfirmChannel
from services.chassis.lease import Lease
from services.chassis.mongo import Store
from services.chassis.outbox import Outbox, Waiting
from services.chassis.relay import Relay, properties
from services.chassis.topology import event_exchange
from services.contracts.directory import SERVICES
from services.contracts.envelope import Event

__all__ = ("CommandLog", "Commands", "Emit")

FINISH_SECONDS = 3.0


class Commands(DependencyProvider):  # type: ignore[misc]
    """Gives a service its `CommandLog`, and relays what its commands emit."""

    store = Store()
    channel = ConfirmChannel()

    def setup(self) -> None:
        name, settings, confirms = (
            self.container.service_name,
            self.channel.bus.settings,
            self.channel.confirms,
        )
        holder = f"{settings.instance}-{uuid.uuid4().hex[:8]}"
        self._relay = Relay(
            Outbox(self.store.database),
            Lease(self.store.database["leases"], "relay", holder, settings.lease_seconds),
            confirms,
            event_exchange(name),
            mandatory=any(name in shape.subscribes for shape in SERVICES.values()),
            confirm="no_confirm" not in settings.faults,
        )
        self._loop: Any = None
        boxed = "no_outbox" not in settings.faults
        self._log = CommandLog(
            self.store.database,
            name,
            (lambda _events: self._relay.wake()) if boxed else self._publish_unsafely,
            dedupe="no_dedupe" not in settings.faults,
            boxed=boxed,
        )

    def start(self) -> None:
        shape = SERVICES.get(self.container.service_name)
        if shape is None or shape.emits:  # who never emits has nothing to look for
            self._loop = eventlet.spawn(self._relay.run)

    def stop(self) -> None:
        """After the last command: relay what it emitted, then let another process take over at once."""
        if self._loop is None:
            return
        self._relay.finish()
        with eventlet.Timeout(FINISH_SECONDS, False):
            self._loop.wait()
        self._relay.hand_over()

    def kill(self) -> None:
        if self._loop is not None:
            self._loop.kill()

    def get_dependency(self, worker_ctx: object) -> CommandLog:
        return self._log

    def _publish_unsafely(self, events: list[Event]) -> None:
        """What many do instead of an outbox: for the fault harness."""
        for event in events:
            waiting = Waiting(
                "", event.id, event.subject, event.number, event.type, event.to_json(), event.time
            )
            self.channel.bus.publishing.publish(
                event_exchange(event.producer), event.type, waiting.body, properties(waiting)
            )
