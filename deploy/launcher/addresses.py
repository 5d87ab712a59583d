"""Where broker and database are, for whom: each user has a URL of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from deploy.launcher import broker, credentials, database
from deploy.launcher.broker import OPERATOR
from deploy.launcher.given import Given
from deploy.launcher.places import Places
from deploy.launcher.plan import Plan
from deploy.launcher.ports import HOST
from deploy.launcher.trouble import Trouble
from deploy.operator_api import OperatorApi
from services.chassis.topology import VHOST


@dataclass(frozen=True)
class Addresses:
    """`reach` names ports to use instead of a node's own one, by services only: the fault harness puts
    proxies there.
    """

    places: Places
    plan: Plan
    given: Given
    reach: Mapping[str, int] = field(default_factory=dict)

    def rabbitmq_url(self, user: str) -> str:
        """Comma-separated, in the order to try. Secret."""
        if self.given.rabbitmq_url is None:
            ports = self._ports(broker.names(self.plan.cluster), user)
            secret = self.broker_password(user)
            return ",".join(f"amqp://{user}:{secret}@{HOST}:{port}/{VHOST}" for port in ports)
        if user == OPERATOR:
            return self.given.rabbitmq_url
        urls = self.given.rabbitmq_url.split(",")
        return ",".join(_as_user(url.strip(), user, self.broker_password(user), f"/{VHOST}") for url in urls)

    def mongo_url(self, user: str) -> str:
        """Secret. Users live in `admin`; a service's URL names its own database."""
        base = "" if user == OPERATOR else user
        if self.given.mongo_url is None:
            return self._own_mongo_url(user, base)
        if user == OPERATOR:
            return self.given.mongo_url
        return _as_user(
            self.given.mongo_url, user, self.database_password(user), f"/{base}", {"authSource": "admin"}
        )

    def operator_api(self) -> OperatorApi:
        if self.given.rabbitmq_url is None:
            port = self.plan.ports[f"{broker.names(self.plan.cluster)[0]}.api"]
            return OperatorApi(f"http://{HOST}:{port}", OPERATOR, self.broker_password(OPERATOR))
        parts = urlsplit(self.given.rabbitmq_url.split(",")[0].strip())
        url = self.given.rabbitmq_api or f"http://{parts.hostname}:15672"
        return OperatorApi(url, parts.username or "guest", parts.password or "guest")

    def broker_password(self, user: str) -> str:
        name = OPERATOR if user == OPERATOR else f"{user}.rabbitmq"
        return credentials.password(self.places.secrets, name)

    def database_password(self, user: str) -> str:
        return credentials.password(self.places.secrets, f"{user}.mongo")

    def mongo_hosts(self) -> list[str]:
        return [f"{HOST}:{port}" for port in self._ports(database.names(self.plan.cluster), OPERATOR)]

    def _own_mongo_url(self, user: str, base: str) -> str:
        names = database.names(self.plan.cluster)
        hosts = ",".join(f"{HOST}:{port}" for port in self._ports(names, user))
        through_proxy = user != OPERATOR and any(name in self.reach for name in names)
        if through_proxy and self.plan.cluster:
            raise Trouble(
                "A replica set tells its clients its own addresses, so it cannot be reached by proxy."
            )
        way = "directConnection=true" if through_proxy else f"replicaSet={database.REPLICA_SET}"
        return f"mongodb://{user}:{self.database_password(user)}@{hosts}/{base}?authSource=admin&{way}"

    def _ports(self, names: list[str], user: str) -> list[int]:
        own = self.plan.ports
        return [own[name] if user == OPERATOR else self.reach.get(name, own[name]) for name in names]


def _as_user(url: str, user: str, password: str, path: str, query: Mapping[str, str] | None = None) -> str:
    """The same servers and options for another user."""
    parts = urlsplit(url)
    hosts = parts.netloc.rpartition("@")[2]
    if not parts.scheme or not hosts:
        raise Trouble("RABBITMQ_URL or MONGO_URL is no URL. Write it as scheme://user:password@host:port/.")
    options = urlencode({**dict(parse_qsl(parts.query)), **(query or {})})
    return urlunsplit((parts.scheme, f"{quote(user)}:{quote(password)}@{hosts}", path, options, ""))
