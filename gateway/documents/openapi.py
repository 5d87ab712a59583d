"""`/openapi.json`: OpenAPI 3.1, made from the route table, the permits and the models."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

from gateway.documents.schemas import Schemas, parameter
from gateway.operations import (
    Entry,
    Operation,
    Route,
    Special,
    body_field,
    parameters,
    takes_key,
)
from gateway.routes import ROUTES
from services.contracts.errors import registered
from services.contracts.permissions import permit_of
from services.contracts.permissions.permit import Permit

Document = dict[str, Any]
_ID = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"}
_TAGS = {
    "sharing": "Who takes part, who may see what.",
    "cases": "What is known.",
    "audit": "What was seen.",
    "notify": "Who is told.",
}
_DESCRIPTION = """Multi-agency case sharing. Problems are RFC 9457 documents with a stable `code`.

A case that the caller may not know of and one that does not exist give the same 404. Every answer has
`X-Request-Id`; every answer that carried case data has `Consultation` and `Inclusion-By`."""


def document() -> Document:
    """The whole document, as plain JSON values."""
    schemas = Schemas(_models())
    paths: Document = {}
    for route in ROUTES:
        paths[route.path] = {
            verb.lower(): _operation(route, verb, entry, schemas) for verb, entry in route.methods.items()
        }
    paths.update(_root_paths())
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Concordat",
            "version": version("concordat"),
            "description": _DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "security": [{"token": []}, {"session": [], "csrf": []}],
        "paths": paths,
        "components": {
            "securitySchemes": _security(),
            "headers": _headers(),
            "responses": {"Problem": _problem_response()},
            "schemas": {**schemas.components, "Problem": _problem()},
        },
    }


def _models() -> Iterator[Any]:
    for route in ROUTES:
        for verb, entry in route.methods.items():
            if isinstance(entry, Operation):
                if (body := body_model(verb, entry)) is not None:
                    yield body
                yield entry.reply
            elif isinstance(entry, Special):
                yield from (model for model in (entry.request, entry.reply) if model is not None)


def body_model(verb: str, operation: Operation) -> Any:
    """The model of the HTTP body, if there is one."""
    name = body_field(verb, operation)
    return None if name is None else operation.request.model_fields[name].annotation


def _operation(route: Route, verb: str, entry: Entry, schemas: Schemas) -> Document:
    params = [{"name": name, "in": "path", "required": True, "schema": dict(_ID)} for name in route.ids]
    said: Document = {"operationId": _operation_id(route, verb, entry), "parameters": params}
    if isinstance(entry, Operation):
        said |= _described(entry)
        params.extend(_parameters(route, verb, entry))
        body, reply, media = body_model(verb, entry), entry.reply, "application/json"
        optional = body is not None and not _body_required(verb, entry)
    else:
        said |= {"summary": entry.summary, "tags": [entry.asks[0][0]]}
        params.extend(_special_parameters(route))
        body, reply, media, optional = entry.request, entry.reply, entry.media, False
        if entry.open:
            said["security"] = []
    if body is not None:
        said["requestBody"] = {
            "required": not optional,
            "content": {"application/json": {"schema": schemas.of(body)}},
        }
    said["responses"] = _responses(verb, entry.status, reply, media, schemas)
    return said


def _described(entry: Operation) -> Document:
    permit = permit_of(entry.service, entry.method)
    text = " ".join((entry.request.__doc__ or "").split()).replace("``", "`")
    return {
        "summary": entry.method.replace("_", " ").capitalize(),
        "tags": [entry.service],
        **({"description": text} if text and not text.startswith("Usage docs") else {}),
        **({"x-permit": _permit(permit)} if permit is not None else {}),
    }


def _permit(permit: Permit) -> Document:
    return {
        "roles": "everybody" if permit.roles is None else sorted(permit.roles),
        "scopes": sorted(permit.scopes),
        **({"level": permit.level} if permit.level else {}),
        **({"before": True} if permit.before else {}),
    }


def _parameters(route: Route, verb: str, entry: Operation) -> Iterator[Document]:
    fields = entry.request.model_fields
    for name, key in parameters(route.ids, entry).items() if verb in ("GET", "DELETE") else ():
        field = next(f for f, info in fields.items() if (info.alias or f) == key)
        yield {
            "name": name,
            "in": "query",
            "required": fields[field].is_required(),
            "schema": parameter(entry.request, field),
        }
    if takes_key(verb, entry):
        yield _idempotency_key()
    if "if_match" in fields:
        yield {"name": "If-Match", "in": "header", "required": True, "schema": {"type": "string"}}
    if "access_reason" in fields:
        schema = parameter(entry.request, "access_reason")
        yield {"name": "Access-Reason", "in": "header", "required": False, "schema": schema}
    if verb == "GET":
        yield {"name": "If-None-Match", "in": "header", "required": False, "schema": {"type": "string"}}


def _special_parameters(route: Route) -> Iterator[Document]:
    if route.path.endswith("/stream"):
        schema = {"type": "string", "pattern": "^[0-9]{1,18}$"}
        yield {"name": "Last-Event-ID", "in": "header", "required": False, "schema": schema}
    if route.path.endswith(("/activations", "/enrolments")):
        yield _idempotency_key()


def _idempotency_key() -> Document:
    schema = {"type": "string", "minLength": 1, "maxLength": 128}
    return {"name": "Idempotency-Key", "in": "header", "required": True, "schema": schema}


def _body_required(verb: str, entry: Operation) -> bool:
    name = body_field(verb, entry)
    return name is not None and entry.request.model_fields[name].is_required()


def _responses(verb: str, status: int, reply: Any, media: str, schemas: Schemas) -> Document:
    headers = {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}}
    shown = {name: {"$ref": f"#/components/headers/{name}"} for name in ("Consultation", "Inclusion-By")}
    done: Document = {"description": "Done.", "headers": headers}
    if status != 204:
        done["description"] = "What was asked for."
        if media == "application/json":
            done["headers"] = headers | shown | {"ETag": {"$ref": "#/components/headers/ETag"}}
        schema = (
            schemas.of(reply) if reply is not None and media == "application/json" else {"type": "string"}
        )
        done["content"] = {media: {"schema": schema}}
    answers: Document = {str(status): done}
    if verb == "GET" and media == "application/json":
        answers["304"] = {"description": "The caller has it already.", "headers": headers | shown}
    return answers | {"default": _refer_problem()}


def _operation_id(route: Route, verb: str, entry: Entry) -> str:
    if isinstance(entry, Operation):
        return f"{entry.service}_{entry.method}"
    place = re.sub(r"[^a-z]+", "_", route.path.removeprefix("/api/v1/").lower()).strip("_")
    return f"{verb.lower()}_{place}"


def _root_paths() -> Document:
    texts = {
        "/livez": ("livez", "The process is alive."),
        "/readyz": ("readyz", "The process can answer requests."),
        "/openapi.json": ("openapi", "This document."),
        "/asyncapi.json": ("asyncapi", "The events, as AsyncAPI 3.0."),
    }
    answer = {"content": {"application/json": {"schema": {"type": "object"}}}}
    return {
        path: {
            "get": {
                "operationId": name,
                "summary": text,
                "security": [],
                "responses": {"200": {"description": text, **answer}},
            }
        }
        for path, (name, text) in texts.items()
    }


def _security() -> Document:
    return {
        "token": {"type": "http", "scheme": "bearer"},
        "session": {"type": "apiKey", "in": "cookie", "name": "__Host-concordat"},
        "csrf": {
            "type": "apiKey",
            "in": "header",
            "name": "X-CSRF-Token",
            "description": "Or an Origin that is this server's own. Only for what may change something.",
        },
    }


def _headers() -> Document:
    texts: Mapping[str, str] = {
        "X-Request-Id": "Of this request; the client's own is kept if it looks like one.",
        "Consultation": "The entry of the log under which this was disclosed.",
        "Inclusion-By": "By when that entry is in the log.",
        "ETag": "Changes exactly when what this caller may see changes.",
    }
    return {name: {"description": text, "schema": {"type": "string"}} for name, text in texts.items()}


def _refer_problem() -> Document:
    return {"$ref": "#/components/responses/Problem"}


def _problem_response() -> Document:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": "It was not done, and why.",
        "content": {"application/problem+json": {"schema": schema}},
    }


def _problem() -> Document:
    text = {"type": "string"}
    error = {"type": "object", "required": ["pointer", "code", "detail"]}
    return {
        "type": "object",
        "required": ["type", "title", "status", "code", "request_id"],
        "properties": {
            "type": {**text, "format": "uri"},
            "title": text,
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "code": {**text, "examples": sorted({error().public_code for error in registered().values()})},
            "request_id": text,
            "errors": {
                "type": "array",
                "items": {**error, "properties": dict.fromkeys(error["required"], text)},
            },
            "clause": text,
        },
    }
