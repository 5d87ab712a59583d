"""The order in which the parts of a cell come up: broker and database at once, services when the database has
its users. They load while the broker boots, and dial it until it is there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from deploy.launcher import broker, database, readiness
from deploy.launcher.addresses import Addresses
from deploy.launcher.broker import OPERATOR
from deploy.launcher.places import Places
from deploy.launcher.services import with_database
from deploy.launcher.supervise import Supervisor
from deploy.launcher.trouble import Trouble
from deploy.operator_api import ApiTrouble
from services.chassis import topology
from services.contracts.directory import Shape

PART_SECONDS, SERVICE_SECONDS = 90.0, 45.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Startup:
    """Of one cell whose supervisor runs. Every step may be repeated."""

    places: Places
    supervisor: Supervisor
    addresses: Addresses
    shapes: Mapping[str, Shape]
    say: Say

    def everything(self) -> None:
        """Start all that is not up, and wait until each says that it is ready."""
        plan = self.addresses.plan
        instances = [name for _, name in plan.instances()]
        with ThreadPoolExecutor() as pool:
            booting = pool.submit(self._broker)
            self._database()
            for name in instances:
                self.supervisor.launch(name)
            booting.result()
        for name in instances:
            self.wait_ready(name)
            self.say(f"{name} is ready")

    def wait_ready(self, name: str) -> None:
        self._wait_open(name, SERVICE_SECONDS)

    def _broker(self) -> None:
        plan, api = self.addresses.plan, self.addresses.operator_api()
        if plan.own_broker:
            self.supervisor.launch("epmd")
            self._wait_open("epmd", 10)
            nodes = broker.names(plan.cluster)
            for node in nodes:
                self.supervisor.launch(node)
            for node in nodes:
                self._wait_open(node, PART_SECONDS)
            self._wait(nodes[0], api.answers, 30)
            self._wait(nodes[0], lambda: len(api.running_nodes()) == len(nodes), 60)
        self._declare()
        self.say("broker is ready")

    def _declare(self) -> None:
        users = {name: self.addresses.broker_password(name) for name in self.shapes}
        document = topology.definitions(self.shapes, users, cluster=self.addresses.plan.cluster)
        try:
            self.addresses.operator_api().import_definitions(document)
        except ApiTrouble as error:
            raise Trouble(
                f"The broker's topology could not be declared: {error}. "
                "Check the user of RABBITMQ_URL and the address in RABBITMQ_API."
            ) from None

    def _database(self) -> None:
        from deploy import store  # pymongo takes 0.2 s to import, which here passes while the broker boots

        plan = self.addresses.plan
        members = database.names(plan.cluster) if plan.own_database else []
        for member in members:
            self.supervisor.launch(member)
        for member in members:
            self._wait_open(member, 30)
        try:
            if plan.own_database:
                secret = self.addresses.database_password(OPERATOR)
                store.initiate(
                    self.addresses.mongo_hosts(), database.REPLICA_SET, OPERATOR, secret, PART_SECONDS
                )
            users = {name: self.addresses.database_password(name) for name in with_database(self.shapes)}
            store.grant(self.addresses.mongo_url(OPERATOR), users)
        except store.StoreTrouble as error:
            raise Trouble(
                f"The database could not be set up: {error}. Its log: `concordat logs mongo`."
            ) from None
        self.say("database is ready")

    def _wait_open(self, name: str, seconds: float) -> None:
        kind, port = self.addresses.plan.kinds()[name], self.addresses.plan.ports[name]
        self._wait(name, lambda: readiness.ready(kind, port), seconds)

    def _wait(self, name: str, condition: Callable[[], bool], seconds: float) -> None:
        readiness.wait_for(name, self.supervisor, self.places.log(name), condition, seconds)
