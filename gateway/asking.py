"""The one way to ask a service on somebody's behalf: for the API and for the web client's pages alike.

    view = await asking.ask(req, "cases", "get_case", GetCase(case_id=id), CaseView)

Each ask is identified anew: nobody's rights are remembered from one request to the next. Everything that is
asked for one HTTP request shares its deadline and its id; the chassis retries within the deadline.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

import falcon.asgi
import msgspec
from pydantic import BaseModel

from gateway.probing import Probing
from gateway.sessions import Place, Sessions
from services.chassis import context
from services.chassis.aio import AsyncCalls
from services.chassis.payload import raw
from services.contracts.authority import Identified, Identify
from services.contracts.caller import SignedCaller, hash_arguments
from services.contracts.errors import ConcordatError, NotVisible, Unauthenticated, Unavailable
from services.contracts.messages import Reply, Request
from services.contracts.permissions import permit_of

NOWHERE = Place()
AUTHORITY = "sharing"
Told = TypeVar("Told", bound=Reply)
_NOTHING = hash_arguments(b"{}")


class Asking:
    """Asks services, as the session of a request or, for what needs none, as the gateway itself."""

    def __init__(self, calls: AsyncCalls, sessions: Sessions, probing: Probing | None = None) -> None:
        self._calls = calls
        self.sessions = sessions
        self._probing = probing or Probing()

    @overload
    async def ask(
        self,
        req: falcon.asgi.Request,
        service: str,
        method: str,
        request: Request,
        reply: type[Told],
        *,
        key: str | None = None,
        heard: Callable[[str], None] | None = None,
    ) -> Told: ...

    @overload
    async def ask(
        self,
        req: falcon.asgi.Request,
        service: str,
        method: str,
        request: Request,
        reply: type[msgspec.Raw],
        *,
        key: str | None = None,
        heard: Callable[[str], None] | None = None,
    ) -> msgspec.Raw: ...

    async def ask(
        self,
        req: falcon.asgi.Request,
        service: str,
        method: str,
        request: Request,
        reply: type[BaseModel] | type[msgspec.Raw],
        *,
        key: str | None = None,
        heard: Callable[[str], None] | None = None,
    ) -> Any:
        """What `service.method` answers the session of `req`, as `reply`; as msgspec.Raw its JSON, unread.

        A command needs a `key`: the same one whenever the same command is given again. Raises what `identify`
        refuses (Unauthenticated, Refused), what the method raises, or a kind of Unavailable. `heard` is told
        the caller's JSON: a page writes the visitor's name at its head, without asking once more.
        """
        token, place = self.sessions.token(req), self.sessions.place(req)
        return await self.ask_as(token, service, method, request, reply, key=key, place=place, heard=heard)

    async def ask_as(
        self,
        token: str,
        service: str,
        method: str,
        request: Request,
        reply: type[BaseModel] | type[msgspec.Raw],
        *,
        key: str | None = None,
        place: Place = NOWHERE,
        heard: Callable[[str], None] | None = None,
    ) -> Any:
        """As `ask`, for a session whose token is at hand: a stream asks long after its request began."""
        arguments = raw(request)
        permit = permit_of(service, method)
        about_a_case = permit is not None and permit.level is not None
        args_hash = hash_arguments(bytes(arguments), key)
        identified = await self._identify(token, service, method, args_hash, place)
        if heard is not None:
            heard(identified.body)
        if about_a_case:
            self._probing.check(identified.body)
        caller = SignedCaller(identified.body.encode(), bytes.fromhex(identified.mac))
        try:
            return await self._calls.call(service, method, arguments, reply=reply, caller=caller, key=key)
        except NotVisible:
            if about_a_case:
                self._probing.missed(identified.body)
            raise
        except Unauthenticated as problem:
            raise _believed(problem) from None

    async def identify(self, req: falcon.asgi.Request, service: str, method: str) -> None:
        """Find out whether the session of `req` could ask this at all. Raises what `identify` refuses."""
        token, place = self.sessions.token(req), self.sessions.place(req)
        await self._identify(token, service, method, _NOTHING, place)

    async def ask_openly(
        self, service: str, method: str, request: Request, reply: type[Told], *, key: str | None = None
    ) -> Told:
        """Ask what needs no session (log-in, activation, what has changed): vouched for by the gateway's own
        key alone."""
        found: Told = await self._calls.call(service, method, request, reply=reply, key=key)
        return found

    async def _identify(
        self, token: str, service: str, method: str, args_hash: str, place: Place
    ) -> Identified:
        serving = context.current()
        assert serving is not None
        question = Identify(
            token=token,
            audience=service,
            method=method,
            args_hash=args_hash,
            request_id=serving.request_id,
            address=place.address,
            device=place.device,
        )
        found: Identified = await self._calls.call(AUTHORITY, "identify", question, reply=Identified)
        return found


def _believed(problem: Unauthenticated) -> ConcordatError:
    """A caller that its audience does not believe is our trouble, not the session's."""
    if type(problem) is Unauthenticated and problem.code == "unauthenticated":
        return Unavailable(cause="the audience did not believe the caller")
    return problem
