"""`/asyncapi.json`: the events that reach agencies, as AsyncAPI 3.0."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, get_args

from gateway.documents.schemas import Schemas
from services.contracts.notify import CheckpointEvent, ThinEvent
from services.contracts.vocabulary import EventName, LogEventName

Document = dict[str, Any]
_DESCRIPTION = """Thin events (CloudEvents 1.0): ids only. Whoever hears of something fetches it through the
API, where the fetch is authorised and recorded. Who may no longer know of a case gets no event about it.
Checkpoints of the audit log go to webhooks alone whose subscription names them."""
_WEBHOOK_HEADERS = {
    "webhook-id": "The event's id: the same for every attempt.",
    "webhook-timestamp": "When this attempt was made, in unix seconds.",
    "webhook-signature": "Standard Webhooks 1: `v1,` and the HMAC-SHA256 in base64.",
}


def document() -> Document:
    """The whole document, as plain JSON values."""
    schemas = Schemas([ThinEvent, CheckpointEvent])
    of_cases: tuple[str, ...] = get_args(EventName)
    of_log: tuple[str, ...] = get_args(LogEventName)
    told = {"stream": of_cases, "webhook": of_cases + of_log}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Concordat: events", "version": version("concordat"), "description": _DESCRIPTION},
        "defaultContentType": "application/cloudevents+json",
        "channels": {
            "stream": _channel("/api/v1/stream", "Server-sent events; `sequence` is absent.", told["stream"]),
            "webhook": _channel(
                None,
                "A subscription's address. `sequence` is contiguous from the subscription's next_sequence.",
                told["webhook"],
            ),
        },
        "operations": {
            name: {
                "action": "send",
                "channel": {"$ref": f"#/channels/{name}"},
                "messages": [{"$ref": f"#/channels/{name}/messages/{_key(event)}"} for event in names],
            }
            for name, names in told.items()
        },
        "components": {
            "messages": {
                **{_key(event): _message(event, "ThinEvent") for event in of_cases},
                **{_key(event): _message(event, "CheckpointEvent") for event in of_log},
            },
            "schemas": schemas.components,
        },
    }


def _channel(address: str | None, text: str, names: tuple[str, ...]) -> Document:
    messages = {_key(event): {"$ref": f"#/components/messages/{_key(event)}"} for event in names}
    return {"address": address, "description": text, "messages": messages}


def _message(event: str, schema: str) -> Document:
    headers = {name: {"type": "string", "description": text} for name, text in _WEBHOOK_HEADERS.items()}
    typed = {"type": "object", "properties": {"type": {"const": event}}}
    return {
        "name": event,
        "title": event,
        "contentType": "application/cloudevents+json",
        "headers": {"type": "object", "properties": headers},
        "payload": {"allOf": [{"$ref": f"#/components/schemas/{schema}"}, typed]},
    }


def _key(event: str) -> str:
    return event.replace(".", "_")
