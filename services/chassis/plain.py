"""nameko 2.14's own wire form, unsealed. It proves nobody and hides nothing.

It exists for the echo service, so that compatibility with stock nameko can be tested; a service speaks it
only when told to.
"""

from __future__ import annotations

from typing import Any

import amqp
from nameko.exceptions import MalformedRequest, MethodNotFound, serialize

from services.chassis.deadline import Deadline
from services.chassis.formats import (
    LONGEST,
    Incoming,
    Properties,
    addresses_of,
    answer_of,
    bounded,
    call_of,
    properties_of,
)
from services.chassis.payload import NAME_LIMIT, Answer, Call, encode
from services.contracts.error_wire import from_wire
from services.contracts.errors import ConcordatError, Internal

PLAIN_TYPE = "application/json"
DEADLINE_HEADER, REQUEST_ID_HEADER, KEY_HEADER = (
    "nameko.deadline",
    "nameko.request_id",
    "nameko.idempotency_key",
)
"""A stock client sets them as its context data: `ClusterRpcProxy(config, context_data={"idempotency_key":
…})`."""
STACK_HEADER = "nameko.call_id_stack"


class Plain:
    content_type = PLAIN_TYPE

    def request(
        self, route: str, call: Call, deadline: Deadline, correlation_id: str, reply_to: str
    ) -> tuple[bytes, Properties]:
        properties = properties_of(PLAIN_TYPE, correlation_id, deadline, reply_to)
        properties["content_encoding"] = "utf-8"
        headers = {
            DEADLINE_HEADER: str(deadline.millis),
            REQUEST_ID_HEADER: call.request_id,
            STACK_HEADER: [],
        }
        if call.key is not None:
            headers[KEY_HEADER] = call.key
        properties["application_headers"] = headers
        return bounded(encode({"args": call.args, "kwargs": call.kwargs})), properties

    def incoming(self, message: amqp.Message, route: str, patience: float) -> Incoming:
        reply_to, correlation_id = addresses_of(message)
        headers = message.headers or {}
        try:
            deadline = Deadline.from_millis(int(headers[DEADLINE_HEADER])).within(LONGEST)
        except (KeyError, ValueError, TypeError, OverflowError):
            deadline = Deadline.after(patience)
        call = call_of(message.body)
        call.request_id = str(headers.get(REQUEST_ID_HEADER) or correlation_id)[:NAME_LIMIT]
        key = headers.get(KEY_HEADER)
        call.key = key[:NAME_LIMIT] if isinstance(key, str) else None
        return Incoming(call, deadline, None, route, reply_to, correlation_id)

    def reply(self, incoming: Incoming, answer: Answer) -> tuple[bytes, Properties]:
        error = None if answer.error is None else _namekos(from_wire(answer.error))
        properties = properties_of(PLAIN_TYPE, incoming.correlation_id, incoming.deadline)
        properties["content_encoding"] = "utf-8"
        return bounded(encode({"result": answer.result, "error": error})), properties

    def answer(self, message: amqp.Message, route: str, deadline: Deadline) -> Answer:
        answer = answer_of(message.body)
        if answer.error is not None and "code" not in answer.error:
            answer.error = _from_namekos(answer.error).to_wire()
        return answer


def _namekos(error: ConcordatError) -> dict[str, Any]:
    """nameko's form, and beside it ours. A stock client raises nameko's own class where there is one, else
    RemoteError with our code, and passes over the rest."""
    own = _NAMEKOS.get(error.code)
    serialized: dict[str, Any] = serialize(error if own is None else own(error.code))
    return {**serialized, "value": error.code, "exc_args": [error.code], **error.to_wire()}


def _from_namekos(error: dict[str, Any]) -> ConcordatError:
    """nameko's errors name Python classes; only those that concern the call itself have a code of ours."""
    code = _CODES.get(str(error.get("exc_type")))
    if code is not None:
        return from_wire({"code": code, "status": 400})
    return Internal(cause=f"remote {str(error.get('exc_type'))[:64]}")


_NAMEKOS: dict[str, type[Exception]] = {"unknown_method": MethodNotFound, "malformed": MalformedRequest}
_CODES = {
    "MethodNotFound": "unknown_method",
    "MalformedRequest": "malformed",
    "IncorrectSignature": "malformed",
}
