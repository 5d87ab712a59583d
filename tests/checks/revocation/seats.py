"""Who is let in and shut out: somebody may log in anew, and another system may take a deleted one's place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from deploy.demo.api import Api


@dataclass(frozen=True)
class Guest:
    """A principal: a person or an agency's own system, with its session. `device`: the cookie of the one that
    it holds."""

    key: str
    member: dict[str, str]
    token: str
    device: str = ""


class Seat:
    """Who reads here now. Written by one thread; whoever reads takes `guest` once for each request."""

    def __init__(self, guest: Guest) -> None:
        self.guest = guest

    @property
    def is_person(self) -> bool:
        return self.guest.key.startswith("u:")


def person(api: Api, me: Any) -> Guest:
    """`me`: what the API says of who has this session."""
    user_id = me["user"]["id"]
    return Guest(f"u:{user_id}", {"user_id": user_id}, str(api.token))


def system(url: str, client_id: str, secret: str) -> Guest:
    """Logged in."""
    token = Api(url).sign_in_client(client_id, secret).token
    return Guest(f"c:{client_id}", {"client_id": client_id}, str(token))
