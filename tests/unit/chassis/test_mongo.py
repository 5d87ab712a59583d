"""Which of the driver's errors mean "later", which mean something, and how they are told."""

from __future__ import annotations

import pytest
from pymongo import errors
from pymongo.errors import OperationFailure, PyMongoError

from services.chassis.deadline import Deadline
from services.chassis.mongo import connect, has_primary, linearizable, translate, within
from services.contracts.errors import DeadlineExpired, Unavailable

NAME = "Margaret Hollis"
SOON, OVER = Deadline.after(3600), Deadline.after(-1)
NOWHERE = "mongodb://127.0.0.1:1/?replicaSet=rs0"

PASSING = [
    errors.AutoReconnect(NAME),
    errors.NetworkTimeout(NAME),
    errors.NotPrimaryError(NAME, {}),
    errors.ServerSelectionTimeoutError(NAME),
    errors.WaitQueueTimeoutError(NAME),
    errors.ExecutionTimeout(NAME, 50),
    errors.WTimeoutError(NAME, 64),
    OperationFailure(NAME, 112, {"errorLabels": ["TransientTransactionError"]}),
    OperationFailure(NAME, 251),
    OperationFailure(NAME, 11602),
]
MEANT = [
    errors.DuplicateKeyError(NAME, 11000),
    errors.WriteError(NAME, 121),
    errors.InvalidOperation(NAME),
    errors.BulkWriteError({"writeErrors": []}),
    OperationFailure(NAME, 13),
    OperationFailure(NAME, 59),
]


def named(error: PyMongoError) -> str:
    return f"{type(error).__name__} {getattr(error, 'code', '')}".strip()


@pytest.mark.parametrize("error", PASSING, ids=named)
def test_a_passing_condition_is_unavailable_told_by_type_and_code(error: PyMongoError) -> None:
    told = translate(error, SOON)
    assert type(told) is Unavailable
    assert (told.cause or "").startswith(f"mongo: {type(error).__name__}")
    assert NAME not in (told.cause or "")


@pytest.mark.parametrize("error", PASSING, ids=named)
def test_after_the_deadline_it_is_the_deadline(error: PyMongoError) -> None:
    assert type(translate(error, OVER)) is DeadlineExpired


@pytest.mark.parametrize("error", [*MEANT, ValueError(NAME)], ids=lambda error: type(error).__name__)
def test_what_tells_of_the_data_or_the_code_is_left_alone(error: Exception) -> None:
    assert translate(error, SOON) is None
    with pytest.raises(type(error)) as raised, within(SOON):
        raise error
    assert raised.value is error


def test_a_passing_condition_inside_is_raised_as_ours() -> None:
    with pytest.raises(Unavailable), within(SOON):
        raise errors.AutoReconnect(NAME)


def test_the_outermost_bound_tells_the_error() -> None:
    with within(SOON), pytest.raises(errors.AutoReconnect), within(SOON):
        raise errors.AutoReconnect(NAME)
    with pytest.raises(Unavailable), within(SOON), within(SOON):
        raise errors.AutoReconnect(NAME)


def test_our_own_errors_go_through() -> None:
    with pytest.raises(DeadlineExpired), within(SOON):
        raise DeadlineExpired


def test_after_the_deadline_nothing_is_begun() -> None:
    with pytest.raises(DeadlineExpired), within(OVER):
        pytest.fail("ran")


def test_a_client_is_durable_and_bounded() -> None:
    with connect(NOWHERE, app="test") as client:
        assert client.write_concern.document == {"w": "majority", "j": True}
        assert client.read_concern.level == "majority"
        assert client.options.timeout == 5.0
        assert client.options.retry_writes
        assert not has_primary(client)
        assert linearizable(client["echo"]["notes"]).read_concern.level == "linearizable"


def test_the_harness_may_have_a_client_that_is_not_durable() -> None:
    with connect(NOWHERE, app="test", majority=False) as client:
        assert client.write_concern.document == {"w": 1, "j": False}


def test_with_no_database_an_operation_ends_by_the_deadline() -> None:
    with connect(NOWHERE, app="test") as client:
        deadline = Deadline.after(0.3)
        with pytest.raises(DeadlineExpired), within(deadline):
            client["echo"]["notes"].find_one({})
        # The driver looks for a primary every half second.
        assert deadline.left() > -1
