"""What one method of one path asks of which service: the data of the route table, and what follows."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import falcon.asgi
from pydantic import BaseModel, ValidationError

from gateway import bodies
from gateway.sessions import command_key
from services.contracts.errors import FieldError, IfMatchRequired, Invalid, Malformed, NotVisible, Stale
from services.contracts.messages import Request
from services.contracts.parsing import refusal
from services.contracts.views import View

_HEADER_FIELDS = frozenset({"if_match", "access_reason"})
_NO_NAMES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    service, method: what is asked, with `request`; the answer is `reply`'s JSON and `status`.
    query: a POST that changes nothing, so it takes no Idempotency-Key.
    names: query parameters by another name than their field's. hidden: fields that are no parameter.
    """

    service: str
    method: str
    request: type[Request]
    reply: type[View]
    status: int = 200
    query: bool = False
    names: Mapping[str, str] = field(default_factory=lambda: _NO_NAMES)
    hidden: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Special:
    """A method with a resource of its own. `asks` says whom, `reply` and `media` what it answers; `open`: no
    session is needed."""

    summary: str
    asks: tuple[tuple[str, str], ...] = ()
    request: type[BaseModel] | None = None
    reply: Any = None
    status: int = 200
    media: str = "application/json"
    open: bool = False


Entry = Operation | Special


@dataclass(frozen=True, slots=True)
class Route:
    """A path under `/api/v1` and what each of its methods does."""

    path: str
    methods: Mapping[str, Entry]

    @property
    def ids(self) -> tuple[str, ...]:
        """The names in the path, in order."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))


class UnknownId(Exception):
    """An id in the path that cannot be one: it names nothing."""


class Reader:
    """Turns one HTTP request into the request model of one operation. Made once, when the app is."""

    def __init__(self, verb: str, ids: tuple[str, ...], operation: Operation, body_limit: int) -> None:
        fields = operation.request.model_fields
        self._verb, self._ids, self._limit = verb, frozenset(ids), body_limit
        self._model = operation.request
        self.body = body_field(verb, operation)
        self._body_may_be_absent = self.body is not None and not fields[self.body].is_required()
        self._if_match = "if_match" in fields
        self._reason = "access_reason" in fields
        self._params = parameters(ids, operation)
        self._told = {name: param for param, name in self._params.items()}
        self._query = operation.query or verb in ("GET", "HEAD")

    def key(self, req: falcon.asgi.Request) -> str | None:
        """Of a command: the client's, scoped to the route, for POST; one of its own for the rest."""
        if self._query:
            return None
        if self._verb != "POST":
            return uuid.uuid4().hex
        return command_key(self._verb, req.path, bodies.idempotency_key(req))

    async def read(self, req: falcon.asgi.Request, path: Mapping[str, str]) -> Request:
        """The request. Raises UnknownId, Malformed, Invalid with pointers, IfMatchRequired, Stale, TooLarge,
        UnsupportedType."""
        values: dict[str, Any] = dict(path)
        if self._if_match:
            values["if_match"] = if_match(req, required=self._verb in ("PATCH", "PUT"))
        if self._reason and (reason := req.get_header("Access-Reason")) is not None:
            values["access_reason"] = reason
        for name, value in req.params.items():
            if name not in self._params:
                raise Invalid(errors=(_unknown(name),))
            values[self._params[name]] = value
        if self.body is not None:
            model = self._model.model_fields[self.body].annotation
            assert isinstance(model, type)
            values[self.body] = await bodies.read(
                req, model, self._limit, may_be_empty=self._body_may_be_absent
            )
        return self._checked({name: value for name, value in values.items() if value is not None})

    def _checked(self, values: dict[str, Any]) -> Request:
        try:
            return self._model.model_validate(values)
        except ValidationError as problem:
            places = {item["loc"][0] for item in problem.errors(include_url=False) if item["loc"]}
            if places & self._ids:
                raise UnknownId from None
            if places & _HEADER_FIELDS:
                raise Malformed(cause="a header") from None
            raise self._renamed(refusal(problem)) from None

    def _renamed(self, problem: Malformed | Invalid) -> Malformed | Invalid:
        """Pointers name what the client sent."""
        if not isinstance(problem, Invalid):
            return problem
        return Invalid(
            errors=tuple(
                FieldError(f"/{self._told.get(e.pointer[1:], e.pointer[1:])}", e.code, e.detail)
                for e in problem.errors
            )
        )


def takes_key(verb: str, operation: Operation) -> bool:
    """Whether the client must send an Idempotency-Key."""
    return verb == "POST" and not operation.query


def body_field(verb: str, operation: Operation) -> str | None:
    """The field that holds the HTTP body: the one that is a model itself."""
    if verb in ("GET", "HEAD", "DELETE"):
        return None
    found = [
        name
        for name, info in operation.request.model_fields.items()
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel)
    ]
    if len(found) > 1:
        raise TypeError(f"{operation.request.__name__} has more than one body: {found}")
    return found[0] if found else None


def parameters(ids: tuple[str, ...], operation: Operation) -> dict[str, str]:
    """The query's parameters, each with its field's key in the request model."""
    body = body_field("POST", operation)
    renamed = {name: param for param, name in operation.names.items()}
    return {
        renamed.get(name, info.alias or name): info.alias or name
        for name, info in operation.request.model_fields.items()
        if name not in ids and name not in _HEADER_FIELDS | operation.hidden and name != body
    }


def if_match(req: falcon.asgi.Request, *, required: bool) -> str | None:
    """The opaque tag of If-Match, or `*`. Raises IfMatchRequired; Stale for a weak one, which never matches
    (RFC 9110, 13.1.1); Malformed for what is no single tag."""
    given = (req.get_header("If-Match") or "").strip()
    if not given:
        if required:
            raise IfMatchRequired
        return None
    if given == "*":
        return given  # whatever is there now: the holder says whether it takes that
    if given.startswith("W/"):
        raise Stale
    if len(given) < 2 or given[0] != '"' or given[-1] != '"' or '"' in given[1:-1]:
        raise Malformed(cause="If-Match is one quoted tag")
    return given[1:-1]


def _unknown(name: str) -> FieldError:
    try:
        Request.model_validate({name: 1})
    except ValidationError as problem:
        return refusal(problem).errors[0]
    raise NotVisible


__all__ = (
    "Entry",
    "Operation",
    "Reader",
    "Route",
    "Special",
    "UnknownId",
    "body_field",
    "parameters",
    "takes_key",
)
