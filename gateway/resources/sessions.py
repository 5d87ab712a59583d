"""What needs no session yet: `/sessions`, `/sessions/challenges` and `/activations`."""

from __future__ import annotations

import secrets

import falcon
import falcon.asgi

from gateway import answers, bodies
from gateway.asking import Asking
from gateway.sessions import command_key
from services.contracts.sharing.passkeys import BeginLogIn, PasskeyChallenge, PasskeyCredentials
from services.contracts.sharing.people import Activate, Activated, ActivationBody
from services.contracts.sharing.sessions import Credentials, LogIn, SessionCreated


class LogIns:
    """`POST /sessions`. The limits on failed log-ins are held by `sharing`, which is told the address."""

    def __init__(self, asking: Asking, body_limit: int) -> None:
        self._asking, self._limit = asking, body_limit

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        credentials = await bodies.read(req, Credentials, self._limit)
        request = LogIn(
            credentials=credentials, address=self._asking.sessions.address(req), attempt=secrets.token_hex(32)
        )
        session = await self._asking.ask_openly("sharing", "log_in", request, SessionCreated)
        answers.write(req, resp, session, 201)


class LogInChallenges:
    """`POST /sessions/challenges`: as with a log-in, nothing is kept by key; an answer that is lost is asked
    for anew."""

    def __init__(self, asking: Asking, body_limit: int) -> None:
        self._asking, self._limit = asking, body_limit

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        credentials = await bodies.read(req, PasskeyCredentials, self._limit)
        request = BeginLogIn(credentials=credentials, address=self._asking.sessions.address(req))
        asked = await self._asking.ask_openly("sharing", "begin_log_in", request, PasskeyChallenge)
        answers.write(req, resp, asked, 201)


class Activations:
    """`POST /activations`: the token from the invitation is the authority."""

    def __init__(self, asking: Asking, body_limit: int) -> None:
        self._asking, self._limit = asking, body_limit

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        given = bodies.idempotency_key(req)
        body = await bodies.read(req, ActivationBody, self._limit)
        # Nobody has a session here: the token is the giver, so that two who choose one key do not meet.
        key = command_key("POST", req.path, f"{given}|{body.token}")
        request = Activate(activation=body)
        activated = await self._asking.ask_openly("sharing", "activate", request, Activated, key=key)
        answers.write(req, resp, activated, 201)
