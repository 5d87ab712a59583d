"""What a test hears on the intake in audit's place."""

from __future__ import annotations

import amqp

from services.chassis.recording import CONTEXT, MARK
from services.chassis.sealing import Keyring
from services.contracts.records import Record


def hear(message: amqp.Message, recorder: Keyring, into: list[Record]) -> None:
    """Keep a record. The marks by which processes say how far they have counted are passed over."""
    if message.properties.get("type") != MARK:
        into.append(Record.model_validate_json(recorder.open(message.body, CONTEXT).body))
