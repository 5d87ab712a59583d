"""A cell: the whole system, or the parts of it that are asked for, running under one folder.

    cell = Cell(folder, counts={"echo": 2})
    cell.up()
    cell.processes()["echo-1"].pid
    cell.down()

With `counts={}` it is a broker and a database only. Every process of a cell listens on 127.0.0.1 alone.
"""

from __future__ import annotations

import fcntl
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from deploy.launcher import broker, database, ports, readiness, sweep
from deploy.launcher.addresses import Addresses
from deploy.launcher.given import Given
from deploy.launcher.places import Places
from deploy.launcher.plan import GATEWAY, Plan
from deploy.launcher.programs import Process, Program
from deploy.launcher.services import Environment, Services
from deploy.launcher.startup import Say, Startup
from deploy.launcher.supervise import Row, Supervisor
from deploy.launcher.trouble import Trouble
from deploy.operator_api import OperatorApi
from services.chassis import keys
from services.contracts.directory import SERVICES, Shape

LEAST_DISK = 500_000_000


class Cell:
    """Raises Trouble, from any method, with what to do."""

    def __init__(
        self,
        root: Path,
        counts: Mapping[str, int] | None = None,
        *,
        cluster: bool = False,
        wanted_ports: Mapping[str, int] | None = None,
        given: Given | None = None,
        reach: Mapping[str, int] | None = None,
        environment: Environment | None = None,
        commands: Mapping[str, Sequence[str]] | None = None,
        shapes: Mapping[str, Shape] = SERVICES,
        say: Say = lambda text: None,
    ) -> None:
        """`counts` is by service, one of each in `shapes` by default; `reach` names ports of proxies by
        node name; `environment` is by service, instance or "*"; `commands` replaces how a service is
        started ({port} is filled in). A port of name `n` in `wanted_ports` must be free; others are chosen.
        """
        self.places = Places(root.resolve())
        self._wanted_ports = dict(wanted_ports or {})
        self._given = given or Given()
        self._reach = dict(reach or {})
        self._environment = environment or {}
        self._commands = commands or {}
        self._shapes = shapes
        self._say = say
        self.supervisor = Supervisor(self.places)
        self._plan = Plan(
            counts=dict(counts) if counts is not None else dict.fromkeys(shapes, 1),
            cluster=cluster,
            own_broker=self._given.rabbitmq_url is None,
            own_database=self._given.mongo_url is None,
        )

    def adopt(self, plan: Plan) -> None:
        """Take over what an earlier command started here."""
        self._plan = plan

    # -- what it is ---------------------------------------------------------------------------------

    @property
    def plan(self) -> Plan:
        """With its ports, which are chosen when they are first asked for."""
        if not self._plan.ports:
            self._plan = replace(self._plan, ports=self._chosen_ports())
        return self._plan

    @property
    def ports(self) -> Mapping[str, int]:
        """By name: epmd, rabbit, rabbit.api, rabbit.dist, mongo, echo-1, gateway-1; rabbit1 and so on in a
        cluster.
        """
        return self.plan.ports

    @property
    def keys_dir(self) -> Path:
        return self.places.keys

    @property
    def operator_api(self) -> OperatorApi:
        return self._addresses.operator_api()

    def rabbitmq_url(self, user: str) -> str:
        """Of a service, or of "operator". Secret."""
        return self._addresses.rabbitmq_url(user)

    def mongo_url(self, user: str) -> str:
        """Of a service, or of "operator". Secret."""
        return self._addresses.mongo_url(user)

    def broker_password(self, user: str) -> str:
        return self._addresses.broker_password(user)

    def database_password(self, user: str) -> str:
        return self._addresses.database_password(user)

    @property
    def url(self) -> str | None:
        """Of the gateway, when there is one."""
        port = self.ports.get(f"{GATEWAY}-1")
        return f"http://{ports.HOST}:{port}/" if port else None

    @property
    def _addresses(self) -> Addresses:
        return Addresses(self.places, self.plan, self._given, self._reach)

    def _chosen_ports(self) -> dict[str, int]:
        """A running cell keeps its ports, except where others are wanted."""
        before = Plan.load(self.places.state)
        remembered = dict(before.ports) if before else {}
        names = self._plan.port_names()
        wanted = {name if name in names else f"{name}-1": port for name, port in self._wanted_ports.items()}
        if unknown := wanted.keys() - names:
            raise Trouble(f"There is no port named {', '.join(sorted(unknown))}. Known: {', '.join(names)}.")
        kept = {
            name: remembered[name]
            for name in (names if self.is_up() else ())
            if name in remembered and wanted.get(name) in (None, remembered[name])
        }
        return kept | ports.choose((name for name in names if name not in kept), wanted, remembered)

    def environment_of(self, service: str) -> dict[str, str]:
        """The settings of a service, for a command of its own that is run once."""
        return Services(self._addresses, self._shapes, self._environment, self._commands).environment_of(
            service
        )

    # -- up and down --------------------------------------------------------------------------------

    def is_up(self) -> bool:
        return self.supervisor.answers()

    def up(self) -> None:
        """Start what does not run yet, and return when all of it is ready. Safe to repeat."""
        self.places.make()
        with self._alone():
            self._check_machine()
            self._given.check()
            self._end_leftovers()
            self._configure()
            keys.make(self.places.keys, self._shapes, time.time())
            self._startup.everything()

    def down(self, *, kill: bool = False) -> int:
        """Stop everything, also what a dead supervisor left; `kill` does not wait for anything to finish.

        Returns how many processes had to be ended without their supervisor.
        """
        if not kill and self.is_up():
            self._stop_in_order()
        left = sweep.end(self.places.root, 0 if kill else 15)
        self.supervisor.reap(5)
        self.places.forget_socket()
        for file in (self.places.root / "supervisor.sock", self.places.supervisor_pid):
            file.unlink(missing_ok=True)
        return len(left)

    def start(self, name: str) -> None:
        """Start one process and wait until it is ready."""
        self.supervisor.launch(name)
        self._startup.wait_ready(name)

    def stop(self, name: str) -> None:
        """Stop one process; it stays down until it is started."""
        self.supervisor.halt([name])

    def restart(self, name: str) -> None:
        self.stop(name)
        self.start(name)

    def processes(self, *, ask_ready: bool = False) -> dict[str, Process]:
        """Every process by name, with the pid of the program itself (beam.smp, mongod, Python)."""
        rows, starts = self.supervisor.rows() if self.is_up() else {}, self.supervisor.starts()
        return {
            name: self._process(name, rows.get(name), starts[name], ask_ready=ask_ready)
            for name in self.plan.kinds()
        }

    # -- how ----------------------------------------------------------------------------------------

    @property
    def _startup(self) -> Startup:
        return Startup(self.places, self.supervisor, self._addresses, self._shapes, self._say)

    def _process(self, name: str, row: Row | None, starts: int, *, ask_ready: bool) -> Process:
        kind, port = self.plan.kinds()[name], self.ports[name]
        running = row is not None and bool(row["pid"])
        return Process(
            name=name,
            kind=kind,
            state=row["statename"] if row else "UNKNOWN",
            pid=row["pid"] if row else 0,
            port=port,
            uptime=max(0.0, float(row["now"] - row["start"])) if row and running else 0.0,
            restarts=max(0, starts - 1),
            ready=(running and readiness.ready(kind, port)) if ask_ready else None,
        )

    def _configure(self) -> None:
        self.plan.save(self.places.state)
        self._given.save(self.places)
        self.supervisor.configure(self._programs())
        if self.is_up():
            self.supervisor.reconfigure()
        else:
            self.supervisor.start()

    def _programs(self) -> list[Program]:
        plan = self.plan
        found: list[Program] = []
        if plan.own_broker:
            found += broker.programs(self.places, plan.ports, cluster=plan.cluster)
        if plan.own_database:
            found += database.programs(self.places, plan.ports, cluster=plan.cluster)
        return found + Services(self._addresses, self._shapes, self._environment, self._commands).programs()

    def _end_leftovers(self) -> None:
        if not self.is_up() and sweep.marked(self.places.root):
            self._say("ending what an earlier run left behind")
            sweep.end(self.places.root, 10)

    def _check_machine(self) -> None:
        free = shutil.disk_usage(self.places.root).free
        if free < LEAST_DISK:
            raise Trouble(
                f"Only {free // 1_000_000} MB are free under {self.places.root}, "
                f"{LEAST_DISK // 1_000_000} are needed. Make room, or choose another folder with --data."
            )

    def _stop_in_order(self) -> None:
        """Services first, so that they can finish with a broker and a database there."""
        kinds = self.plan.kinds()
        known = self.supervisor.rows()
        for stage in (("service", "gateway"), ("broker", "database"), ("epmd",)):
            self.supervisor.halt([name for name, kind in kinds.items() if kind in stage and name in known])
        self.supervisor.shutdown()
        sweep.wait_until_gone(self.places.root, 10)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self.places.lock.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Trouble(
                    f"Another `concordat up` is at work under {self.places.root}. Wait for it."
                ) from None
            yield


def remembered(root: Path, *, say: Say = lambda text: None) -> Cell:
    """The cell that was last started under `root`. Raises Trouble when there is none."""
    places = Places(root.resolve())
    plan = Plan.load(places.state)
    if plan is None:
        raise Trouble(
            f"Nothing was ever started under {root}. "
            "Start it with `concordat up`, or name its folder with --data."
        )
    cell = Cell(root, plan.counts, cluster=plan.cluster, given=Given.load(places), say=say)
    cell.adopt(plan)
    return cell
