"""What a cell consists of, remembered between commands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from deploy.launcher import broker, database
from deploy.launcher.programs import Kind
from deploy.launcher.trouble import Trouble

GATEWAY = "gateway"

_BROKER: Kind = "broker"
_DATABASE: Kind = "database"
_SERVICE: Kind = "service"
_GATEWAY: Kind = "gateway"


@dataclass(frozen=True)
class Plan:
    """How many of each service (and gateway), one node or a cluster, and on which ports."""

    counts: Mapping[str, int]
    cluster: bool
    own_broker: bool = True
    own_database: bool = True
    ports: Mapping[str, int] = field(default_factory=dict)
    """By name; empty until they are chosen."""

    def instances(self) -> list[tuple[str, str]]:
        """(service, instance), such as ("echo", "echo-1")."""
        return [
            (service, f"{service}-{n}") for service, count in self.counts.items() for n in range(1, count + 1)
        ]

    def kinds(self) -> dict[str, Kind]:
        """What runs, by name, in the order in which it is started."""
        found: dict[str, Kind] = {}
        if self.own_broker:
            found |= {"epmd": "epmd", **dict.fromkeys(broker.names(self.cluster), _BROKER)}
        if self.own_database:
            found |= dict.fromkeys(database.names(self.cluster), _DATABASE)
        return found | {
            name: _GATEWAY if service == GATEWAY else _SERVICE for service, name in self.instances()
        }

    def port_names(self) -> list[str]:
        return [
            *(broker.port_names(self.cluster) if self.own_broker else ()),
            *(database.names(self.cluster) if self.own_database else ()),
            *(instance for _, instance in self.instances()),
        ]

    def save(self, file: Path) -> None:
        new = file.with_suffix(".new")
        new.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        new.replace(file)

    @classmethod
    def load(cls, file: Path) -> Plan | None:
        """None when there never was one. Raises Trouble when the file cannot be read."""
        if not file.exists():
            return None
        try:
            return cls(**json.loads(file.read_text(encoding="utf-8")))
        except (ValueError, TypeError):
            raise Trouble(f"{file} is damaged. Run `concordat down`, then delete it.") from None
