"""The private RabbitMQ: one node or a cluster of three, with their own port mapper, cookie and folders."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from deploy.launcher import credentials, slim, tools
from deploy.launcher.places import Places
from deploy.launcher.ports import HOST
from deploy.launcher.programs import Program
from services.chassis.topology import MESSAGE_BYTES, VHOST

OPERATOR = "operator"
"""The broker's and the database's administrator in a cell; no service uses it."""

CONSUMER_TIMEOUT_MS = 30 * 60 * 1000
HEARTBEAT_SECONDS = 8
"""The broker's offer; a client asks for less."""
DISK_FREE_BYTES = 50_000_000
MEMORY_BYTES = 1_000_000_000
TICK_SECONDS = 60
"""A node that stands still for less than this stays in its cluster, and goes on at once when it wakes. Found
dead sooner, it wakes to a partition that RabbitMQ 3.10 does not mend by itself (`make faults`). A node that
dies closes its connections, and is found dead at once."""


def names(cluster: bool) -> list[str]:
    return ["rabbit1", "rabbit2", "rabbit3"] if cluster else ["rabbit"]


def port_names(cluster: bool) -> list[str]:
    return ["epmd", *(f"{node}{part}" for node in names(cluster) for part in ("", ".api", ".dist"))]


def programs(places: Places, ports: Mapping[str, int], *, cluster: bool) -> list[Program]:
    """Write the settings of the nodes and return epmd and the nodes, in the order to start them in."""
    script = slim.server_script(tools.rabbitmq_server(), places.root / "rabbitmq")
    home = places.secrets / "erlang"
    credentials.write(home / ".erlang.cookie", credentials.password(places.secrets, "cookie"), 0o400)
    return [
        _epmd(ports["epmd"]),
        *(_node(places, script, home, name, ports, cluster=cluster) for name in names(cluster)),
    ]


def _epmd(port: int) -> Program:
    """In the foreground and ours. Started by Erlang it would be a daemon that outlives the cell."""
    return Program(
        name="epmd",
        kind="epmd",
        command=(str(tools.epmd()), "-address", HOST, "-port", str(port)),
        port=port,
        stop_seconds=2,
    )


def _node(
    places: Places, script: Path, home: Path, name: str, ports: Mapping[str, int], *, cluster: bool
) -> Program:
    data = places.data(name, cluster=cluster)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = credentials.write(
        places.settings / f"{name}.config",
        _settings(credentials.password(places.secrets, OPERATOR), name, ports, cluster=cluster),
    )
    plugins = credentials.write(places.settings / "rabbitmq.plugins", "[rabbitmq_management].\n")
    return Program(
        name=name,
        kind="broker",
        command=(str(script),),
        port=ports[name],
        folder=data,
        stop_seconds=20,
        environment={
            "HOME": str(home),
            "RABBITMQ_NODENAME": f"{name}@localhost",
            "RABBITMQ_NODE_PORT": str(ports[name]),
            "RABBITMQ_NODE_IP_ADDRESS": HOST,
            "RABBITMQ_DIST_PORT": str(ports[f"{name}.dist"]),
            "RABBITMQ_MNESIA_BASE": str(data),
            "RABBITMQ_LOG_BASE": str(places.logs),
            "RABBITMQ_PID_FILE": str(data / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
            "RABBITMQ_CONFIG_FILE": str(settings),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(places.settings / "none.config"),
            # The machine's own RabbitMQ settings are not for a private broker.
            "RABBITMQ_CONF_ENV_FILE": str(places.settings / "none"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": _erl_arguments(name, ports[f"{name}.dist"]),
            "ERL_EPMD_PORT": str(ports["epmd"]),
            "ERL_EPMD_ADDRESS": HOST,
            # The script then becomes the node instead of waiting for it, so that its pid is the broker's.
            "RUNNING_UNDER_SYSTEMD": "true",
            "LANG": os.environ.get("LANG", "C.UTF-8"),
        },
    )


def _erl_arguments(name: str, port: int) -> str:
    """Named at once: a node without a name starts a second virtual machine only to see that epmd runs (0.9
    s).
    """
    return (
        f"-sname {name}@localhost -start_epmd false -kernel inet_dist_use_interface {{127,0,0,1}} "
        f"-kernel inet_dist_listen_min {port} -kernel inet_dist_listen_max {port} "
        f"-kernel net_ticktime {TICK_SECONDS}"
    )


def _settings(password: str, name: str, ports: Mapping[str, int], *, cluster: bool) -> str:
    """RabbitMQ's Erlang-terms format: read 0.6 s faster than rabbitmq.conf, which needs a schema compiled."""
    peers = f" {{cluster_nodes, {{[{', '.join(f'{n}@localhost' for n in names(True))}], disc}}}},\n"
    return f"""[
{{rabbit, [
 {{tcp_listeners, [{{"{HOST}", {ports[name]}}}]}},
 {{default_user, <<"{OPERATOR}">>}}, {{default_pass, <<"{password}">>}}, {{default_vhost, <<"{VHOST}">>}},
 {{loopback_users, [<<"{OPERATOR}">>]}},
 {{heartbeat, {HEARTBEAT_SECONDS}}},
 {{consumer_timeout, {CONSUMER_TIMEOUT_MS}}},
 {{max_message_size, {MESSAGE_BYTES}}},
 {{disk_free_limit, {DISK_FREE_BYTES}}},
 {{vm_memory_high_watermark, {{absolute, {MEMORY_BYTES}}}}},
{peers + " {cluster_partition_handling, pause_minority}," if cluster else ""}
 {{log, [{{console, [{{enabled, true}}, {{level, info}}]}}, {{file, [{{file, false}}]}}]}}
]}},
{{rabbitmq_management, [{{tcp_config, [{{ip, "{HOST}"}}, {{port, {ports[f"{name}.api"]}}}]}}]}}
].
"""
