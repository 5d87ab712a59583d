"""Stock nameko 2.14.1 and the chassis in plain mode call each other, on the real broker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from services.chassis.plain import Plain
from services.chassis.topology import VHOST
from services.contracts.errors import UnknownMethod
from tests.cell import OPERATOR, Parts
from tests.eventlet_process import ChildProcess, run
from tests.integration.calling import ECHO, Calling, instances
from tests.waiting import until

CHILDREN = "tests.integration.stock_children"


@pytest.fixture(scope="module")
def calling(parts: Parts) -> Iterator[Calling]:
    with Calling(parts, speak=Plain()) as calling:
        yield calling


@pytest.fixture(scope="module")
def stock(parts: Parts, calling: Calling) -> Iterator[None]:
    """A stock service, which declares its own queue."""
    with ChildProcess(f"{CHILDREN}:serve", url=parts.rabbitmq_url(OPERATOR)):
        until(lambda: calling.code("stock.double", number=1) == "ok", seconds=20)
        yield
    parts.operator_api.call("DELETE", f"queues/{VHOST}/rpc-stock")


@pytest.fixture(scope="module")
def echo(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Our service, told to speak plainly."""
    with instances(parts, tmp_path_factory.mktemp("logs"), ECHO, CONCORDAT_PLAIN="1"):
        yield


@pytest.mark.usefixtures("echo")
def test_a_stock_client_calls_our_service(parts: Parts) -> None:
    said: dict[str, Any] = run(f"{CHILDREN}:call_with_a_stock_client", url=parts.rabbitmq_url(OPERATOR))
    assert said["result"] == {"text": "héllo"}
    assert said["positional"] == {"text": "one"}
    assert said["many"] == [str(number) for number in range(20)]
    assert said["commands"] == [1, 1]
    assert said["error"] == ["RemoteError", "NotVisible", "not_found"]
    assert said["invalid"] == ["RemoteError", "Invalid", "invalid"]
    assert said["signature"] == ["MalformedRequest"]
    assert said["method"] == ["MethodNotFound"]
    assert said["service"] == ["UnknownService"]


@pytest.mark.usefixtures("echo")
def test_our_clients_and_services_keep_their_errors_in_plain_mode(calling: Calling) -> None:
    assert calling.code("echo.get_note", request={"note_id": "nowhere"}) == "not_found"
    assert calling.code("echo.sing") == "unknown_method"


@pytest.mark.usefixtures("stock")
def test_our_asyncio_client_calls_a_stock_service(calling: Calling) -> None:
    assert calling.ask("stock.double", number=21) == 42
    assert calling.code("stock.fail") == "internal"
    assert calling.code("stock.double", other=1) == "malformed"
    assert calling.code("nobody.sing") == "unknown_service"
    with pytest.raises(UnknownMethod):
        calling.ask("stock.triple", number=1)


@pytest.mark.usefixtures("stock")
def test_our_greenlet_client_calls_a_stock_service(parts: Parts) -> None:
    said = run(f"{CHILDREN}:call_with_greenlets", url=parts.rabbitmq_url("gateway"))
    assert said == {
        "result": 42,
        "default": 10,
        "exception": "internal",
        "signature": "malformed",
        "method": "unknown_method",
        "service": "unknown_service",
    }


@pytest.mark.usefixtures("echo")
def test_a_service_that_speaks_plainly_does_not_run_what_is_sealed(parts: Parts) -> None:
    with Calling(parts) as sealed:
        assert sealed.code("echo.sing", seconds=1) == "deadline_expired"
