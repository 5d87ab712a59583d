"""`concordat up --demo`: what is different, and what it says that one can do now."""

from __future__ import annotations

from deploy.launcher import ports
from deploy.launcher.given import Given
from deploy.launcher.plan import GATEWAY
from deploy.launcher.services import Environment
from deploy.launcher.trouble import Trouble

PORT = 8800
"""Of the gateway, where it is free: the same address every time."""

ENVIRONMENT: Environment = {GATEWAY: {"CONCORDAT_ECHO": "1"}}
"""Nobody has to log in for these routes, so they are served on this machine alone."""

_TEXT = """
It runs, and there is nobody to log in as yet: no case, no agency, no password. What there is:

  change a note     curl -s -X POST {url}api/v1/echo/notes/first/changes \\
                      -H 'Idempotency-Key: try-1' -H 'Content-Type: application/json' -d '{{"text": "hello"}}'
  read it           curl -s {url}api/v1/echo/notes/first
  read its mirror   curl -s {url}api/v1/echo/notes/first/mirror

The same key again gives the same answer and no second change. "applied" is what the event has brought to the
mirror, a service that keeps its own count.

  every process     make status
  stop              make down
"""


def check(given: Given) -> None:
    """Raises Trouble when broker or database are not the demonstration's own."""
    if given.rabbitmq_url or given.mongo_url:
        raise Trouble("--demo uses a broker and a database of its own. Unset RABBITMQ_URL and MONGO_URL.")


def port() -> dict[str, int]:
    """The wish for a gateway's port, if it can be had."""
    return {GATEWAY: PORT} if ports.is_free(PORT) else {}


def text(url: str) -> str:
    return _TEXT.format(url=url)
