"""`POST /devices/enrolments`: a registered device becomes this browser, or this program, by a cookie.

The secret is made here and told to the browser alone; `sharing` is told its hash. An answer that is lost is a
device that nobody holds: the administrator registers it anew.
"""

from __future__ import annotations

import secrets

import falcon
import falcon.asgi

from gateway import answers, bodies
from gateway.asking import Asking
from gateway.sessions import command_key, hash_secret
from services.contracts.sharing.devices import DeviceView, EnrolDevice, EnrolmentBody


def new_secret() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


class Enrolments:
    def __init__(self, asking: Asking, body_limit: int) -> None:
        self._asking, self._limit = asking, body_limit

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        self._asking.sessions.token(req)
        key = command_key("POST", req.path, bodies.idempotency_key(req))
        body = await bodies.read(req, EnrolmentBody, self._limit)
        secret = new_secret()
        request = EnrolDevice(enrolment=body, secret_hash=hash_secret(secret))
        device = await self._asking.ask(req, "sharing", "enrol_device", request, DeviceView, key=key)
        self._asking.sessions.set_device(resp, device.id, secret)
        answers.write(req, resp, device, 201)
