"""Doubles of the stores that log-in works with, in memory. They know no transactions."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from services.contracts.errors import RateLimited
from services.sharing.domain import limits
from services.sharing.domain.clients import Client, Secret
from services.sharing.domain.sessions import MOST, Session
from services.sharing.domain.sign_ins import Provider
from services.sharing.domain.standing import Standing, StandingOn
from services.sharing.stores.principals import Locked


class FakeAttemptStore:
    """Behaves as `stores.attempts.AttemptStore` does."""

    def __init__(self) -> None:
        self._attempts: dict[str, list[tuple[str, datetime]]] = defaultdict(list)

    def begin(self, keys: Sequence[str], now: datetime) -> str:
        attempt = uuid.uuid4().hex
        for number, key in enumerate(keys):
            wait = limits.wait([at for _, at in self._attempts[key]], limits.most(key), now)
            if wait is not None:
                self.forgive(keys[:number], attempt)
                raise RateLimited(retry_after=wait)
            self._attempts[key].append((attempt, now))
        return attempt

    def forgive(self, keys: Sequence[str], attempt: str) -> None:
        for key in keys:
            self._attempts[key] = [one for one in self._attempts[key] if one[0] != attempt]


@dataclass
class FakeIdentityProviderStore:
    """By agency."""

    providers: dict[str, Provider] = field(default_factory=dict)

    def of(self, agency_id: str) -> tuple[Provider | None, int]:
        found = self.providers.get(agency_id)
        return found, found.version if found else 0


class FakePresent:
    """What one read of the barrier found: this standing, and no fences."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing

    def standing(self, today: date) -> StandingOn:
        return self._standing.on(today)

    def fences(self, agency_id: str) -> dict[str, int]:
        return {}


@dataclass
class FakeAuthorityStore:
    now_standing: Standing

    def present(self) -> FakePresent:
        return FakePresent(self.now_standing)


@dataclass
class FakePrincipalStore:
    """Users and clients by id; `used` are codes that were taken, with the attempt that took them."""

    users: dict[str, Locked] = field(default_factory=dict)
    clients: dict[str, tuple[Client, tuple[Secret, ...]]] = field(default_factory=dict)
    begun: dict[str, list[Session]] = field(default_factory=lambda: defaultdict(list))
    used: dict[tuple[str, str], str] = field(default_factory=dict)
    attempts: dict[tuple[str, str], Session] = field(default_factory=dict)

    def locked_by_username(self, username: str) -> Locked | None:
        wanted = username.casefold()
        return next((one for one in self.users.values() if one.user.username.casefold() == wanted), None)

    def secrets_of_client(self, client_id: str) -> tuple[Client, tuple[Secret, ...]] | None:
        return self.clients.get(client_id)

    def use_totp(self, user_id: str, step: int, attempt: str) -> bool:
        return self.used.setdefault((user_id, str(step)), attempt) == attempt

    def use_recovery(self, user_id: str, code_hash: str, attempt: str) -> bool:
        if code_hash not in self.users[user_id].recovery:
            return False
        return self.used.setdefault((user_id, code_hash), attempt) == attempt

    def keep_hash(self, user_id: str, former: str, new: str, *, must_change: bool) -> None:
        before = self.users[user_id]
        if before.password_hash == former:
            user = replace(before.user, must_change=must_change)
            self.users[user_id] = replace(before, user=user, password_hash=new)

    def begin_session(
        self, kind: str, who: str, session: Session, attempt: str, *, without: bool = False
    ) -> Session | None:
        user = self.users.get(who)
        if without and user is not None and user.has_second_factor and (who, attempt) not in self.attempts:
            return None
        first = self.attempts.setdefault((who, attempt), session)
        if first is session:
            self.begun[who] = [*self.begun[who], session][-MOST:]
        return first
