# ruff: noqa: E402 - patching comes before every other import
"""The same two transactions with nothing around them: plain PyMongo and py-amqp, under eventlet.

The producer commits, publishes and waits for the confirm; the consumer commits, then acknowledges. No order
is kept, nothing is recognised when it comes twice, and an event is lost when the producer dies between its
commit and the confirm.

    python -m tests.bench.contenders.events_bare producer|consumer RABBITMQ_URL MONGO_URL
"""

from __future__ import annotations

import os

os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")

import eventlet

eventlet.monkey_patch()

import json
import sys
import time
import uuid
from datetime import UTC, datetime
from functools import partial
from typing import Any

import amqp
from eventlet.queue import LightQueue
from pymongo import MongoClient, ReturnDocument

from tests.bench.contenders.bare import connect
from tests.bench.contenders.notes import TEXT, Acknowledged, note_ids
from tests.bench.contenders.turns_green import take_turns
from tests.bench.turns import Turn

DATABASE = "bench_bare"
EXCHANGE, QUEUE = "bench.events", "bench.events"
AT_ONCE, PREFETCH = 32, 32


def store(url: str) -> MongoClient[dict[str, Any]]:
    return MongoClient(url, w="majority", journal=True, readConcernLevel="majority", tz_aware=True)


def declare_queue(channel: amqp.Channel) -> None:
    channel.queue_declare(QUEUE, durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"})


class Producer:
    def __init__(self, rabbitmq_url: str, mongo_url: str) -> None:
        self._client = store(mongo_url)
        self._database = self._client[DATABASE]
        self._channels: LightQueue = LightQueue()  # one for each change on its way: a confirm is waited for
        for _ in range(AT_ONCE):
            self._channels.put(connect(rabbitmq_url, confirm_publish=True).channel())
        self._declare()
        self._note_ids = note_ids()

    def play(self, turn: Turn) -> Acknowledged:
        done = Acknowledged(time.time())
        if turn.per_second:
            greenlets = [
                eventlet.spawn_after(number / turn.per_second, self._change, done)
                for number in range(int(turn.seconds * turn.per_second))
            ]
        else:
            greenlets = [eventlet.spawn(self._keep_changing, turn, done) for _ in range(turn.outstanding)]
        for greenlet in greenlets:
            greenlet.wait()
        return done

    def _declare(self) -> None:
        channel = self._channels.get()
        channel.exchange_declare(EXCHANGE, "topic", durable=True, auto_delete=False)
        declare_queue(channel)
        channel.queue_bind(QUEUE, EXCHANGE, "#")
        self._channels.put(channel)

    def _keep_changing(self, turn: Turn, done: Acknowledged) -> None:
        while time.time() < done.began + turn.seconds:
            self._change(done)

    def _change(self, done: Acknowledged) -> None:
        note_id, key, event_id = next(self._note_ids), uuid.uuid4().hex, uuid.uuid4().hex
        with self._client.start_session() as session:
            version, body = session.with_transaction(partial(self._store, note_id, key, event_id))
        done.changes.append((note_id, version, time.time()))
        channel = self._channels.get()
        message = amqp.Message(body, content_type="application/json", delivery_mode=2, message_id=event_id)
        channel.basic_publish(message, EXCHANGE, "note.changed", mandatory=True)
        self._channels.put(channel)

    def _store(self, note_id: str, key: str, event_id: str, session: Any) -> tuple[int, bytes]:
        note: Any = self._database["notes"].find_one_and_update(
            {"_id": note_id},
            {"$set": {"text": TEXT}, "$inc": {"version": 1}},
            projection={"version": True},
            upsert=True,
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        version = note["version"]
        body = json.dumps({"id": event_id, "note_id": note_id, "number": version}).encode()
        change = {"note_id": note_id, "version": version, "key": key}
        self._database["changes"].insert_one(change, session=session)
        outcome = {"_id": key, "at": datetime.now(UTC), "version": version, "events": [{"body": body}]}
        self._database["commands"].insert_one(outcome, session=session)
        return version, body


class Consumer:
    def __init__(self, rabbitmq_url: str, mongo_url: str) -> None:
        self._client = store(mongo_url)
        self._database = self._client[DATABASE]
        self._connection = connect(rabbitmq_url)
        self._arrived: LightQueue = LightQueue()

    def run(self) -> None:
        """Apply for ever."""
        channel = self._connection.channel()
        declare_queue(channel)
        channel.basic_qos(0, PREFETCH, False)
        channel.basic_consume(QUEUE, callback=self._arrived.put)
        for _ in range(AT_ONCE):
            eventlet.spawn(self._keep_applying, channel)
        while True:
            self._connection.drain_events()

    def _keep_applying(self, channel: amqp.Channel) -> None:
        while True:
            message = self._arrived.get()
            event = json.loads(message.body)
            with self._client.start_session() as session:
                session.with_transaction(partial(self._apply, event))
            channel.basic_ack(message.delivery_tag)

    def _apply(self, event: dict[str, Any], session: Any) -> None:
        note_id, number = event["note_id"], event["number"]
        recent = {"$each": [{"n": number, "id": event["id"]}], "$slice": -20}
        self._database["positions"].update_one(
            {"_id": note_id},
            {"$max": {"applied": number}, "$push": {"recent": recent}},
            upsert=True,
            session=session,
        )
        mirrored: Any = self._database["mirrored"].find_one_and_update(
            {"_id": note_id},
            {"$max": {"version": number}, "$inc": {"applied": 1}},
            projection={"applied": True},
            upsert=True,
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        row = {"note_id": note_id, "turn": mirrored["applied"], "number": number, "at": datetime.now(UTC)}
        self._database["applied"].insert_one(row, session=session)


if __name__ == "__main__":
    if sys.argv[1] == "consumer":
        Consumer(*sys.argv[2:]).run()
    take_turns(Producer(*sys.argv[2:]).play)
