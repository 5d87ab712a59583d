"""How a reply ends the wait for it."""

from __future__ import annotations

import amqp

from services.chassis.formats import NOT_TAKEN
from services.chassis.replies import Replies
from services.contracts.errors import ConcordatError

Ended = list[object]


def _replies() -> Replies[Ended]:
    def fail(waiting: Ended, problem: ConcordatError) -> None:
        waiting.append(problem.code)

    return Replies("gateway", lambda waiting, message: waiting.append(message), fail)


def test_an_answer_ends_the_wait_once() -> None:
    replies, ended = _replies(), Ended()
    attempt = replies.pending.add("echo", 9e9, ended)
    message = amqp.Message(b"{}", correlation_id=attempt.id)
    replies.arrived(message)
    replies.arrived(message)
    assert ended == [message]


def test_a_request_that_was_turned_back_is_made_anew_like_one_whose_connection_was_lost() -> None:
    replies, ended = _replies(), Ended()
    attempt = replies.pending.add("echo", 9e9, ended)
    replies.arrived(amqp.Message(b"{}", correlation_id=attempt.id, type=NOT_TAKEN))
    assert ended == ["link_down"]
    assert not replies.pending.attempts
