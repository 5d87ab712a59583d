"""One request by a person: what it typed, who it is, and the way to ask the services for it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, get_args
from urllib.parse import parse_qsl

import falcon.asgi
import msgspec

from gateway.asking import Asking
from gateway.sessions import command_key
from gateway.web.forms.form import CSRF, Typed
from services.chassis import context
from services.contracts.bars import for_export
from services.contracts.errors import (
    ConcordatError,
    DeadlineExpired,
    Malformed,
    RequestInProgress,
    TooLarge,
    UnsupportedType,
)
from services.contracts.messages import Request
from services.contracts.notify import CountUnread
from services.contracts.vocabulary import Marking

FORM_LIMIT = 900_000
"""Bytes of a filled-in form: a new case carries its incident reports until it is made."""
_FIELDS = 2000
_UNREAD_PATIENCE = 0.7
_STILL_RUNNING = 0.15
Body = dict[str, Any]
_decode = msgspec.json.decode


@dataclass(frozen=True, slots=True)
class Person:
    """Who visits, as `sharing` told the gateway for this very request. For the page's head and its menu only:
    what may be done is judged by who is asked. `unprintable`: markings of cases that are not printed here."""

    id: str
    name: str
    agency: str
    agency_id: str
    roles: tuple[str, ...]
    teams: tuple[str, ...]
    unprintable: frozenset[str] = frozenset()

    def is_any(self, *roles: str) -> bool:
        return not set(roles).isdisjoint(self.roles)

    @property
    def caseworker(self) -> bool:
        return self.is_any("practitioner", "supervisor")


class Visit:
    """One request. A page asks through it and nothing else."""

    def __init__(self, asking: Asking, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        self._asking, self.req, self.resp = asking, req, resp
        self.typed: Typed = {}
        self.person: Person | None = None
        self.unread: int | None = None
        self._counting: asyncio.Task[None] | None = None

    @property
    def path(self) -> str:
        return str(self.req.path)

    @property
    def origin(self) -> str:
        """Where browsers find this site, as they said themselves."""
        scheme = "https" if self._asking.sessions.secure else "http"
        return f"{scheme}://{self.req.get_header('Host') or 'localhost'}"

    @property
    def request_id(self) -> str:
        serving = context.current()
        return serving.request_id if serving else ""

    @property
    def csrf(self) -> str:
        """What every form of this session carries; empty without a session."""
        token = self._asking.sessions.cookie_token(self.req)
        return self._asking.sessions.csrf(token) if token else ""

    def csrf_of(self, token: str) -> str:
        """What the forms of a session carry that begins with this answer."""
        return self._asking.sessions.csrf(token)

    @staticmethod
    def fresh() -> str:
        """A key for a command that is harmless when it is given twice."""
        return uuid.uuid4().hex

    @property
    def session_token(self) -> str | None:
        return self._asking.sessions.cookie_token(self.req) or None

    @property
    def has_session(self) -> bool:
        return self.session_token is not None

    def query(self, name: str) -> str:
        """An id, code, date or cursor from the query string; bounded."""
        found: str = self.req.get_param(name) or ""
        return found if len(found) <= 512 else ""

    # --- asking ---

    async def ask(self, service: str, method: str, request: Request) -> Body:
        """What `service.method` answers, as the API's body has it, with `etag` and `disclosed` beside."""
        found = await self._asking.ask(self.req, service, method, request, msgspec.Raw, heard=self._meet)
        return self._read(found)

    async def tell(self, service: str, method: str, request: Request, *, once: str) -> Body:
        """A command. The same `once` on the same page makes the same thing only once: a double click waits
        for the first."""
        key = command_key("PAGE", self.path, f"{service}.{method}.{once}")
        while True:
            try:
                found = await self._asking.ask(
                    self.req, service, method, request, msgspec.Raw, key=key, heard=self._meet
                )
                return self._read(found)
            except RequestInProgress:
                serving = context.current()
                if serving is None or serving.deadline.left() < 4 * _STILL_RUNNING:
                    raise
                await asyncio.sleep(_STILL_RUNNING)

    async def ask_openly(
        self, service: str, method: str, request: Request, reply: Any, key: str | None
    ) -> Any:
        """What needs no session: log-in, activation."""
        return await self._asking.ask_openly(service, method, request, reply, key=key)

    async def together(self, *asked: Coroutine[Any, Any, Body]) -> list[Body]:
        """Several at once; the first refusal is raised after all have ended."""
        found = await asyncio.gather(*asked, return_exceptions=True)
        for one in found:
            if isinstance(one, BaseException):
                raise one
        return [one for one in found if not isinstance(one, BaseException)]

    def _read(self, found: msgspec.Raw) -> Body:
        body = _decode(found)
        if not isinstance(body, dict):
            return {}
        about = body.get("disclosed")
        if about:
            # As the API does: whoever asks about a page can name the entry under which it was shown.
            self.resp.set_header("Consultation", about["entry_id"])
            self.resp.set_header("Inclusion-By", about["by"])
        return body

    def _meet(self, caller: str) -> None:
        if self.person is None:
            said = _decode(caller)
            self.person = Person(
                said["id"],
                said.get("name") or "",
                said.get("agency_name") or "",
                said["agency_id"],
                tuple(said.get("roles", ())),
                tuple(said.get("team_ids", ())),
                frozenset(one for one in get_args(Marking) if for_export(one) in said.get("barred", ())),
            )

    # --- the unread count, which no page waits for long ---

    def count_unread(self) -> None:
        """Begin to count; `settle` takes what has come by then."""
        if self._counting is None and self.has_session:
            self._counting = asyncio.create_task(self._count())

    async def settle(self) -> None:
        """A page without its count is better than no page."""
        if self._counting is None:
            return
        _, late = await asyncio.wait({self._counting}, timeout=_UNREAD_PATIENCE)
        for task in late:
            task.cancel()

    async def _count(self) -> None:
        try:
            found = await self._asking.ask(
                self.req, "notify", "count_unread", CountUnread(), msgspec.Raw, heard=self._meet
            )
            self.unread = _decode(found)["unread"]
        except (ConcordatError, KeyError, msgspec.MsgspecError):
            self.unread = None

    # --- the form that was sent ---

    async def read_form(self) -> None:
        """Raises TooLarge, UnsupportedType, Malformed. What was typed is in `typed` from here on."""
        if (self.req.content_length or 0) > FORM_LIMIT:
            raise TooLarge
        kind = (self.req.content_type or "").partition(";")[0].strip().lower()
        if kind != "application/x-www-form-urlencoded":
            raise UnsupportedType
        serving = context.current()
        try:
            async with asyncio.timeout(serving.deadline.left() if serving else None):
                body = await self.req.bounded_stream.read(FORM_LIMIT + 1)
        except TimeoutError:
            raise DeadlineExpired(cause="the form did not arrive in time") from None
        if len(body) > FORM_LIMIT:
            raise TooLarge
        try:
            pairs = parse_qsl(
                body.decode("ascii"), keep_blank_values=True, max_num_fields=_FIELDS, errors="strict"
            )
        except ValueError:
            raise Malformed(cause="form") from None
        typed: dict[str, list[str]] = {}
        for name, value in pairs:
            typed.setdefault(name, []).append(value.replace("\0", ""))
        self.typed = typed

    def prove(self) -> None:
        """The form comes from a page of ours. Raises CsrfRequired."""
        given = self.typed.get(CSRF, [""])[-1]
        self._asking.sessions.prove(self.req, given)

    def from_our_own_page(self) -> bool:
        """For forms that need no session yet: what the browser says of where it comes from."""
        return self._asking.sessions.same_origin(self.req)

    def from_elsewhere(self) -> bool:
        """The browser says that another site sent this form, and nothing in it proves otherwise. Its fields
        are that site's words: they MUST NOT be offered to be sent again from a page of ours."""
        if getattr(self.req.context, "csrf_proved", False) or self.from_our_own_page():
            return False
        return bool(self.req.get_header("Origin") or self.req.get_header("Sec-Fetch-Site"))

    def address(self) -> str | None:
        return self._asking.sessions.address(self.req)

    def enrol_device(self, device_id: str, secret: str) -> None:
        """From now on this browser proves that it is this device."""
        self._asking.sessions.set_device(self.resp, device_id, secret)

    @property
    def callback(self) -> str:
        """Where identity providers lead browsers back to, each with its agency's id behind it: it has to know
        that very address."""
        return f"{self._asking.sessions.public or self.origin}/log-in/callback"

    def hold_sign_in(self, held: str) -> None:
        """In this browser alone; empty: no more."""
        self._asking.sessions.set_sign_in(self.resp, held)

    @property
    def held_sign_in(self) -> str:
        return self._asking.sessions.held_sign_in(self.req)

    def begin_session(self, token: str) -> None:
        self._asking.sessions.set_cookie(self.resp, token)

    def end_session(self) -> None:
        self._asking.sessions.clear_cookie(self.resp)
