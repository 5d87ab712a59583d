"""The cell that trials run on: arranged as a trial needs it, its parts found, broken and mended by name."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import amqp
import pymongo
from kombu.utils.url import parse_url

from deploy.launcher import ports
from deploy.launcher.cell import Cell
from deploy.launcher.plan import GATEWAY
from deploy.operator_api import ApiTrouble, OperatorApi
from tests import breaking
from tests.faults.proxy import Proxy
from tests.rabbitmqctl import rabbitmqctl

OPERATOR = "operator"

Document = dict[str, Any]

_WORKER_ENDED = re.compile(r"Worker \(pid:\d+\) (?:exited|was sent)")


@dataclass(frozen=True, slots=True)
class Setup:
    """What a trial needs: `instances` of echo and of mirror, proxies before the parts, safety off."""

    instances: int = 1
    proxied: bool = False
    switched_off: tuple[str, ...] = ()


class Stage:
    """One cell under one folder. Its processes are started again where a setup changes them."""

    cell: Cell

    def __init__(self, root: Path, *, cluster: bool) -> None:
        self._root, self.cluster = root, cluster
        self._setup: Setup | None = None
        self.proxies: dict[str, Proxy] = {}
        self.planned_exits = 0
        """How often faults ended a process on purpose, or started one anew."""

    def arrange(self, setup: Setup) -> None:
        """Have the cell stand as `setup` says."""
        if setup == self._setup:
            return
        if setup.proxied and not self.proxies:
            self.arrange(replace(setup, proxied=False))  # the ports are certain once it is up
            self.proxies = {name: Proxy(self.cell.ports[name]) for name in self._proxied_parts()}
        self._setup = None
        self.cell = self._cell(setup)
        self.cell.up()
        self._setup = setup

    def close(self) -> None:
        """Stop everything, frozen processes too. `arrange` starts it anew."""
        for proxy in self.proxies.values():
            proxy.close()
        self.proxies = {}
        self._setup = None
        if hasattr(self, "cell"):
            self.cell.down(kill=True)

    # -- what there is -----------------------------------------------------------------------------

    def names(self, kind: str) -> list[str]:
        return [name for name, known in self.cell.plan.kinds().items() if known == kind]

    def gateway(self) -> tuple[str, int]:
        return ports.HOST, self.cell.ports[f"{GATEWAY}-1"]

    def pid(self, name: str) -> int:
        """Of the program itself. Raises LookupError while it does not run."""
        pid = self.cell.processes()[name].pid
        if not pid:
            raise LookupError(f"{name} does not run")
        return pid

    def exits(self) -> int:
        """How often processes have ended, whether planned or not, since the cell was started."""
        found = self.cell.processes().values()
        ended = sum(process.restarts + (process.state in ("EXITED", "FATAL", "BACKOFF")) for process in found)
        # The gateway's workers are started anew by their own parent, which says so.
        logs = (self.cell.places.log(name).read_text(errors="replace") for name in self.names("gateway"))
        return ended + sum(len(_WORKER_ENDED.findall(log)) for log in logs)

    def whole(self) -> bool:
        """Every process runs, and every node sees every other one in its cluster."""
        if any(process.state != "RUNNING" for process in self.cell.processes().values()):
            return False
        brokers = self.names("broker")
        return all(
            len(found := self._api(node).call("GET", "nodes")) == len(brokers)
            and all(each.get("running") and not each.get("partitions") for each in found)
            for node in brokers
        ) and all(self._follows(name) for name in self.names("database"))

    def _follows(self, member: str) -> bool:
        with self.mongo(member) as client:
            hello = client.admin.command("hello")
            return bool(hello["isWritablePrimary"] or hello["secondary"])

    def accepts(self, name: str) -> bool:
        """Whether the process takes connections."""
        return ports.is_open(self.cell.ports[name])

    def mongo(self, name: str | None = None) -> pymongo.MongoClient[Document]:
        """The operator's client of the database, or of one member of it."""
        url = self.cell.mongo_url(OPERATOR)
        if name is None:
            return pymongo.MongoClient(url, serverSelectionTimeoutMS=10_000)
        parts = pymongo.uri_parser.parse_uri(url)
        return pymongo.MongoClient(
            ports.HOST,
            self.cell.ports[name],
            username=parts["username"],
            password=parts["password"],
            directConnection=True,
            timeoutMS=1000,
        )

    def api(self) -> OperatorApi:
        """The management API of a broker node that answers."""
        for node in self.names("broker"):
            if (api := self._api(node)).answers():
                return api
        raise ApiTrouble("no node of the broker answers")

    def _api(self, node: str) -> OperatorApi:
        known = self.cell.operator_api
        return OperatorApi(
            f"http://{ports.HOST}:{self.cell.ports[f'{node}.api']}", known.user, known.password
        )

    @contextmanager
    def channel(self) -> Iterator[amqp.Channel]:
        """A channel with the operator's rights, to the first node that takes connections."""
        connection = self.connect()
        try:
            yield connection.channel()
        finally:
            connection.collect()

    def connect(self) -> amqp.Connection:
        for url in self.cell.rabbitmq_url(OPERATOR).split(","):
            parts = parse_url(url)
            if not ports.is_open(parts["port"]):
                continue
            connection = amqp.Connection(
                host=f"{parts['hostname']}:{parts['port']}",
                userid=parts["userid"],
                password=parts["password"],
                virtual_host=parts["virtual_host"],
                connect_timeout=5,
                client_properties={"connection_name": "fault harness"},
            )
            connection.connect()
            return connection
        raise ConnectionError("no node of the broker takes connections")

    # -- breaking and mending ----------------------------------------------------------------------

    def signal(self, name: str, number: signal.Signals) -> None:
        os.kill(self.pid(name), number)

    def kill(self, name: str) -> None:
        """kill -9; the supervisor starts it again."""
        self.planned_exits += 1
        self.signal(name, signal.SIGKILL)

    def kill_for_good(self, name: str) -> None:
        """kill -9, and nobody starts it again: frozen, it cannot hear the supervisor's polite request."""
        breaking.kill_for_good(self.cell, name)

    def revive(self, name: str) -> None:
        """Start what was killed for good; does not wait until it works."""
        self.planned_exits += 1
        self.cell.supervisor.launch(name)

    def gateway_worker(self) -> int:
        """The pid of the process that serves, a child of the one that the supervisor knows; 0 while there is
        none."""
        return min(breaking.children(self.pid(f"{GATEWAY}-1")), default=0)

    def rabbitmqctl(self, *arguments: str) -> None:
        """Run RabbitMQ's own tool on every node, for what its HTTP API cannot do."""
        for node in self.names("broker"):
            rabbitmqctl(self.cell, *arguments, node=node)

    def _cell(self, setup: Setup) -> Cell:
        everyone = {"CONCORDAT_ECHO": "1", "CONCORDAT_LOG_LEVEL": "info"}
        if setup.switched_off:
            everyone |= {"CONCORDAT_ALLOW_FAULTS": "1", "CONCORDAT_FAULTS": ",".join(setup.switched_off)}
        # The addresses are in files: only this difference makes the supervisor start the processes anew.
        everyone["CONCORDAT_FAULTS_PROXIED"] = str(int(setup.proxied))
        return Cell(
            self._root,
            {"echo": setup.instances, "mirror": setup.instances, GATEWAY: 1},
            cluster=self.cluster,
            reach={name: proxy.port for name, proxy in self.proxies.items()} if setup.proxied else None,
            environment={"*": everyone},
        )

    def _proxied_parts(self) -> list[str]:
        """A replica set of three tells its clients its addresses: it cannot be reached through proxies."""
        return self.names("broker") + ([] if self.cluster else self.names("database"))


def wait_for(condition: Callable[[], object], seconds: float, every: float = 0.02) -> bool:
    """Wait at most `seconds` for `condition`; say whether it holds. A part that is away counts as not yet."""
    until = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return True
        except (OSError, LookupError, ApiTrouble, pymongo.errors.PyMongoError, amqp.exceptions.AMQPError):
            pass
        if time.monotonic() >= until:
            return False
        time.sleep(every)


def pause(seconds: float) -> None:
    """Let a fault last. Nothing is waited for: the time itself is what is wanted."""
    time.sleep(seconds)
