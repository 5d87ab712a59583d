"""The services and the gateway as programs: what each is started with."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deploy.launcher import credentials
from deploy.launcher.addresses import Addresses
from deploy.launcher.places import CHECKOUT
from deploy.launcher.plan import GATEWAY
from deploy.launcher.ports import HOST
from deploy.launcher.programs import Program
from services.contracts.directory import Shape

EVERYONE = "*"

Environment = Mapping[str, Mapping[str, str]]
"""Variables by service, by instance, or for EVERYONE."""


def with_database(shapes: Mapping[str, Shape]) -> list[str]:
    """Those that keep data."""
    return [name for name, shape in shapes.items() if shape.keeps_data]


@dataclass(frozen=True)
class Services:
    """`environment` wins over what the launcher sets; `commands` replaces how a service is started."""

    addresses: Addresses
    shapes: Mapping[str, Shape]
    environment: Environment
    commands: Mapping[str, Sequence[str]]

    def programs(self) -> list[Program]:
        """Write each service's URL files and return its instances."""
        return [self._program(service, name) for service, name in self.addresses.plan.instances()]

    def environment_of(self, service: str) -> dict[str, str]:
        """What a command of a service is run with beside its instances: the same settings, no port."""
        variables = self._own_environment(service, f"{service}-command", 0)
        for key in (EVERYONE, service):
            variables |= self.environment.get(key, {})
        return variables

    def _program(self, service: str, name: str) -> Program:
        port = self.addresses.plan.ports[name]
        command = self.commands.get(service) or usual_command(service)
        given = (self.environment.get(key, {}) for key in (EVERYONE, service, name))
        variables = self._own_environment(service, name, port)
        for more in given:
            variables |= more
        return Program(
            name=name,
            kind="gateway" if service == GATEWAY else "service",
            command=tuple(word.replace("{port}", str(port)) for word in command),
            port=port,
            folder=CHECKOUT,
            environment=variables,
        )

    def _own_environment(self, service: str, name: str, port: int) -> dict[str, str]:
        """Secrets by file name only, so that no process list shows one."""
        places = self.addresses.places
        folder = places.secrets / service
        urls = [self.addresses.rabbitmq_url(service)]
        broker_file = credentials.write(folder / "rabbitmq_url", urls[0])
        variables = {
            "RABBITMQ_URL_FILE": str(broker_file),
            "CONCORDAT_KEYS_DIR": str(places.keys),
            # Where setproctitle is installed gunicorn names its processes, over their environment; but
            # by that `concordat down` finds what a killed supervisor left.
            "SPT_NOENV": "1",
            "CONCORDAT_INSTANCE": name,
            "CONCORDAT_HTTP_HOST": HOST,
            "CONCORDAT_HTTP_PORT": str(port),
            "EVENTLET_NO_GREENDNS": "yes",
            "PYTHONUNBUFFERED": "1",
        }
        if service in with_database(self.shapes):
            urls.append(self.addresses.mongo_url(service))
            database_file = credentials.write(folder / "mongo_url", urls[1])
            variables["MONGO_URL_FILE"] = str(database_file)
        # Other content of these files is another program to supervisord: a running one is started anew.
        variables["CONCORDAT_ADDRESSES"] = hashlib.sha256("\n".join(urls).encode()).hexdigest()[:12]
        return variables


def usual_command(service: str) -> list[str]:
    """How a service, or the gateway, is started, here and elsewhere."""
    if service == GATEWAY:
        return [sys.executable, "-m", "gunicorn", "--config", str(CHECKOUT / "gateway" / "server.py")]
    entry = f"services.{service}.service:{service.capitalize()}Service"
    return [sys.executable, "-m", "services.chassis.runner", entry]
