"""The way to the database: durable, bounded by the caller's deadline, its failures told as our own errors.

Every use MUST be inside `within` or `transact`. A greenlet inside a driver call MUST NOT be killed: these
bounds are what ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import pymongo
from nameko.extensions import DependencyProvider, SharedExtension
from pymongo import MongoClient, ReadPreference
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern

from services.chassis import context, health
from services.chassis.deadline import Deadline
from services.chassis.settings import ServiceSettings
from services.contracts.errors import DeadlineExpired, Unavailable

Document = dict[str, Any]
Client = MongoClient[Document]
Session = ClientSession
Result = TypeVar("Result")

LONGEST = 5.0
"""Seconds after which any operation ends, also one that was given no deadline."""

# Server errors that say nothing about the request: a node steps down or starts up, a time limit is hit.
_PASSING = frozenset(
    {6, 7, 24, 50, 64, 89, 91, 100, 112, 133, 134, 189, 225, 251, 262, 290, 10107, 11600, 11602, 13435, 13436}
)
_DURABLE: Mapping[str, Any] = {"w": "majority", "journal": True, "readConcernLevel": "majority"}
_LOOSE: Mapping[str, Any] = {"w": 1, "journal": False, "readConcernLevel": "local"}

_bounded: ContextVar[bool] = ContextVar("concordat_mongo_bounded", default=False)


def connect(url: str, *, app: str, majority: bool = True) -> Client:
    """A client of the replica set at `url`. MUST be made after monkey patching and after forking.

    Returns at once; the database need not be there yet. `majority=False` acknowledges what a failover may
    undo: only the fault harness asks for it, to see its checker fail.
    """
    return MongoClient(
        url,
        appname=app,
        timeoutMS=int(LONGEST * 1000),
        serverSelectionTimeoutMS=2000,
        # A frozen node is noticed after these two together.
        connectTimeoutMS=1000,
        heartbeatFrequencyMS=1000,
        retryWrites=True,
        retryReads=True,
        tz_aware=True,
        uuidRepresentation="standard",
        **(_DURABLE if majority else _LOOSE),
    )


@contextmanager
def within(deadline: Deadline) -> Iterator[None]:
    """Bound every operation inside by what is left of `deadline`, and raise only our own errors.

    Raises DeadlineExpired, Unavailable; lets through what the data says (DuplicateKeyError and the like).
    Inside another `within` or `transact`, that one tells the errors: a transaction has to see the driver's
    own, to know when to run again.
    """
    left = deadline.left()
    if left <= 0:
        raise DeadlineExpired
    outermost = not _bounded.get()
    token = _bounded.set(True)
    try:
        with pymongo.timeout(min(left, LONGEST)):
            yield
    except PyMongoError as error:
        ours = translate(error, deadline) if outermost else None
        if ours is None:
            raise
        raise ours from error
    finally:
        _bounded.reset(token)


def in_time() -> AbstractContextManager[None]:
    """`within` the deadline of the call being served."""
    serving = context.current()
    return within(serving.deadline if serving else Deadline.after(LONGEST))


def transact(client: Client, deadline: Deadline, body: Callable[[ClientSession], Result]) -> Result:
    """Run `body` in one transaction and commit it; give what it returned.

    `body` may run more than once and MUST pass its session to every operation. What it raises aborts the
    transaction. After DeadlineExpired or Unavailable the outcome is not known: repeat with the same key.
    """
    with within(deadline), client.start_session() as session:
        return session.with_transaction(body)


def linearizable(collection: Collection[Document]) -> Collection[Document]:
    """The collection, read so that a primary that has been replaced unawares cannot answer from the past."""
    return collection.with_options(
        read_concern=ReadConcern("linearizable"), read_preference=ReadPreference.PRIMARY
    )


def has_primary(client: Client) -> bool:
    """Whether writes can go somewhere, as far as is known now. Does not wait: fit for a readiness check."""
    return client.topology_description.has_writable_server()


def translate(error: BaseException, deadline: Deadline | None = None) -> Unavailable | None:
    """Our error for a driver's passing condition; None for one that tells of the data or of the code."""
    if not isinstance(error, PyMongoError) or not _passing(error):
        return None
    # A driver's text may quote a document; its type and code do not.
    code = f" {error.code}" if isinstance(error, OperationFailure) else ""
    cause = f"mongo: {type(error).__name__}{code}"
    if deadline is not None and deadline.expired:
        return DeadlineExpired(cause=cause)
    return Unavailable(cause=cause)


def _passing(error: PyMongoError) -> bool:
    if isinstance(error, ConnectionFailure) or error.timeout:
        return True
    if error.has_error_label("TransientTransactionError") or error.has_error_label("RetryableWriteError"):
        return True
    return isinstance(error, OperationFailure) and error.code in _PASSING


class Store(SharedExtension):  # type: ignore[misc]
    """The one client of a service process, shared by everything in it that stores."""

    client: Client
    database: Database[Document]

    def bind(self, container: Any) -> Store:
        bound: Store = super().bind(container)
        if not hasattr(bound, "client"):
            bound._open(container.config["settings"])
        return bound

    def _open(self, settings: ServiceSettings) -> None:
        if settings.mongo_url is None:
            raise ValueError("this service needs MONGO_URL")
        self.client = connect(
            settings.mongo_url.get_secret_value(),
            app=f"{settings.service}-{settings.instance}",
            majority="no_majority" not in settings.faults,
        )
        self.database = self.client[settings.mongo_database]

    def setup(self) -> None:
        health.ready_when("database", lambda: has_primary(self.client))

    def stop(self) -> None:
        self.client.close()


class Mongo(DependencyProvider):  # type: ignore[misc]
    """Gives a service its database."""

    store = Store()

    def get_dependency(self, worker_ctx: object) -> Database[Document]:
        return self.store.database
