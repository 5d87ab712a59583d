"""What becomes of a request that cannot be served: a dead letter if nobody can be answered, else a public
error."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any

import amqp

from services.chassis import metrics
from services.chassis.link import Link
from services.chassis.logs import log
from services.chassis.mongo import translate
from services.chassis.retries import QUEUE, REASON, SHA256, SIZE
from services.chassis.topology import dead_queue, retry_exchange
from services.contracts.errors import ConcordatError, Internal

KEPT_AT_ONCE, KEPT_PER_SECOND = 100, 1.0
"""Dead letters that a process keeps: they are stored for ever, so nobody may make as many as they like."""


class Allowance:
    """`most` at once, and `per_second` in the long run (a token bucket)."""

    def __init__(self, most: int, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._per_second, self._clock = most, per_second, clock
        self._left, self._at = float(most), clock()

    def take(self) -> bool:
        now = self._clock()
        self._left = min(self._left + (now - self._at) * self._per_second, self._most)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class DeadLetters:
    """Where one service puts requests that can never be handled."""

    def __init__(self, link: Link, service: str, queue: str, allowance: Allowance | None = None) -> None:
        self._link, self._service, self._queue = link, service, queue
        self._allowance = allowance or Allowance(KEPT_AT_ONCE, KEPT_PER_SECOND)
        self._passed_over = 0

    def keep(self, message: amqp.Message, problem: ConcordatError) -> None:
        """Put one aside: its reason, hash and size. In a flood most are only counted.

        The body is neither logged (N12) nor kept: a request is never replayed, an unsealed one would stay
        readable on the broker, and large ones would fill it.
        """
        metrics.dead_lettered(self._queue, problem.code)
        if not self._allowance.take():
            self._passed_over += 1
            return
        body = message.body if isinstance(message.body, bytes) else message.body.encode()
        digest, code = hashlib.sha256(body).hexdigest(), problem.code
        log.warning(
            "dead_letter",
            queue=self._queue,
            code=code,
            body_sha256=digest,
            size=len(body),
            count=self._passed_over,
        )
        self._passed_over = 0
        headers = {REASON: problem.code, QUEUE: self._queue, SHA256: digest, SIZE: len(body)}
        properties: dict[str, Any] = {"delivery_mode": 2, "application_headers": headers}
        try:
            self._link.publish(retry_exchange(self._service), dead_queue(self._service), b"", properties)
        except ConcordatError as lost:
            log.warning(
                "dead_letter_not_kept", queue=self._queue, code=code, body_sha256=digest, reason=lost.code
            )


def public(problem: BaseException) -> ConcordatError:
    """The error that a caller may see. Whatever is not ours becomes Internal, its text stays here."""
    if isinstance(problem, ConcordatError):
        return problem
    return translate(problem) or Internal(cause=type(problem).__name__)
