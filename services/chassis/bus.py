"""The two broker connections of a service process, and the keys that its messages are sealed with."""

from __future__ import annotations

from nameko.extensions import SharedExtension

from services.chassis import health
from services.chassis.formats import Format, Sealed
from services.chassis.link import Link
from services.chassis.sealing import Keyring
from services.chassis.settings import ServiceSettings


class Bus(SharedExtension):  # type: ignore[misc]
    """Publishing and consuming never share a connection: a broker under alarm stops reading from publishers
    (N7, N19).

    Extensions MUST attach to the links in their `setup`.
    """

    settings: ServiceSettings
    keyring: Keyring
    speak: Format
    consuming: Link
    publishing: Link

    def bind(self, container: object) -> Bus:
        bound: Bus = super().bind(container)
        if not hasattr(bound, "consuming"):
            bound._open(container.config["settings"], container.service_name)  # type: ignore[attr-defined]
        return bound

    def _open(self, settings: ServiceSettings, name: str) -> None:
        self.settings = settings
        self.keyring = Keyring(settings.keys_dir, name)
        self.speak = self._format()
        urls, label = settings.rabbitmq_urls, f"{name}-{settings.instance}"
        self.consuming = Link(urls, "consuming", label=label, heartbeat=settings.heartbeat)
        self.publishing = Link(urls, "publishing", label=label, heartbeat=settings.heartbeat)

    def _format(self) -> Format:
        if self.settings.plain:
            from services.chassis.plain import Plain  # only here: it imports nameko's serialisation

            return Plain()
        return Sealed(self.keyring)

    def setup(self) -> None:
        health.ready_when("broker", self._usable)

    def _usable(self) -> bool:
        return self.consuming.up and self.publishing.up and not self.publishing.blocked

    def start(self) -> None:
        self.consuming.start()
        self.publishing.start()

    def stop(self) -> None:
        self.consuming.stop()
        self.publishing.stop()

    def kill(self) -> None:
        self.consuming.kill()
        self.publishing.kill()
