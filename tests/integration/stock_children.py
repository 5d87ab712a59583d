"""Stock nameko 2.14.1 in a process of its own: what it does as it comes, and how it meets our chassis."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from nameko.containers import ServiceContainer
from nameko.events import BROADCAST, EventHandlerConfigurationError, event_handler
from nameko.exceptions import RemoteError
from nameko.rpc import rpc as stock_rpc
from nameko.runners import ServiceRunner
from nameko.standalone.rpc import ClusterRpcProxy

from services.chassis.calls import ask
from services.chassis.client import GreenCalls
from services.chassis.link import Link
from services.chassis.plain import Plain
from services.contracts.errors import ConcordatError


def broadcast() -> str:
    """The error that nameko's own defaults for a broadcast handler raise at start."""

    class Service:
        name = "stock"

        @event_handler("source", "thing", handler_type=BROADCAST)  # type: ignore[untyped-decorator]
        def handle(self, payload: object) -> None:
            """Handles nothing: the service never starts."""

    try:
        ServiceContainer(Service, {"AMQP_URI": "amqp://127.0.0.1:1/"})
    except EventHandlerConfigurationError as problem:
        return type(problem).__name__
    return "none"


def ask_and_leave(url: str) -> None:
    """Make one call with nameko's own client, and do not wait for its answer."""
    with ClusterRpcProxy({"AMQP_URI": url}) as cluster:
        cluster.stocked.anything.call_async()


class Refusal(Exception):
    """An error that the caller does not have."""


class StockService:
    """A service as nameko's users write it."""

    name = "stock"

    @stock_rpc  # type: ignore[untyped-decorator]
    def double(self, number: int, times: int = 2) -> int:
        return number * times

    @stock_rpc  # type: ignore[untyped-decorator]
    def fail(self) -> None:
        raise Refusal("not today")


def serve(url: str) -> None:
    """Run the stock service by nameko's own runner, until killed."""
    runner = ServiceRunner({"AMQP_URI": url})
    runner.add_service(StockService)
    runner.start()
    runner.wait()


def call_with_a_stock_client(url: str) -> dict[str, Any]:
    """What nameko's own client gets from our echo service in plain mode."""
    said: dict[str, Any] = {}
    context = {"idempotency_key": uuid.uuid4().hex, "request_id": "r-1"}
    with ClusterRpcProxy({"AMQP_URI": url}, context_data=context, timeout=15) as cluster:
        said["result"] = cluster.echo.say(request={"text": "héllo"})
        said["positional"] = cluster.echo.say({"text": "one"})
        pending = [cluster.echo.say.call_async({"text": str(number)}) for number in range(20)]
        said["many"] = [reply.result()["text"] for reply in pending]
        note = uuid.uuid4().hex
        said["commands"] = [
            cluster.echo.change_note(request={"note_id": note, "text": "text"})["version"] for _ in range(2)
        ]
        said["error"] = told(lambda: cluster.echo.get_note(request={"note_id": "nowhere"}))
        said["invalid"] = told(lambda: cluster.echo.say(request={"text": 7}))
        said["signature"] = told(lambda: cluster.echo.say(other=1))
        said["method"] = told(cluster.echo.sing)
        said["service"] = told(cluster.nobody.sing)
    return said


def told(call: Callable[[], Any]) -> list[str]:
    """The class of the error that `call` raises and, for a remote one, its class there and its value."""
    try:
        call()
    except RemoteError as problem:
        return ["RemoteError", problem.exc_type, str(problem.value)]
    except Exception as problem:
        return [type(problem).__name__]
    return []


def call_with_greenlets(url: str) -> dict[str, Any]:
    """What our greenlet client, speaking plainly, gets from the stock service."""
    consuming, publishing = Link([url], "consuming"), Link([url], "publishing")
    calls = GreenCalls("gateway", consuming, publishing, Plain())
    calls.start()
    consuming.start()
    publishing.start()

    def ending(route: str, **kwargs: Any) -> Any:
        try:
            return calls.call(ask(route, None, reply=None, patience=10, kwargs=kwargs))
        except ConcordatError as problem:
            return problem.code

    said = {
        "result": ending("stock.double", number=21),
        "default": ending("stock.double", number=2, times=5),
        "exception": ending("stock.fail"),
        "signature": ending("stock.double", other=1),
        "method": ending("stock.triple", number=1),
        "service": ending("nobody.sing"),
    }
    consuming.stop()
    publishing.stop()
    return said
