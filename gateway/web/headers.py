"""What browsers are told of every page: what it may load, where it may stand, whom it talks to."""

from __future__ import annotations

import falcon.asgi

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def secure(resp: falcon.asgi.Response) -> None:
    """On pages alone: `no-store` and `nosniff` are set at the door, on every answer."""
    resp.set_header("Content-Security-Policy", POLICY)
    resp.set_header("Referrer-Policy", "same-origin")
    resp.set_header("Cross-Origin-Opener-Policy", "same-origin")
    resp.set_header("Cross-Origin-Resource-Policy", "same-origin")
    resp.set_header("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
