"""How a witness takes the API's refusals: what passes is asked again, what cannot be proved is told apart."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from deploy.demo.api import Api, Refusal
from deploy.witness.api import HttpLog
from deploy.witness.notes import Unusable
from deploy.witness.watching import Unproved, Unreachable


class Answers:
    """Stands for a signed-in client: gives each answer once."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)

    def get(self, path: str) -> Any:
        answer = self._answers.pop(0)
        if isinstance(answer, int):
            raise Refusal("GET", path, httpx.Response(answer, json={"code": "told"}))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def post(self, path: str, body: Any) -> Any:
        return self.get(path)


def log(*answers: Any) -> tuple[HttpLog, list[int]]:
    signed: list[int] = []
    api = Answers(*answers)

    def sign_in() -> Api:
        signed.append(1)
        return api  # type: ignore[return-value]

    return HttpLog(sign_in), signed


def test_a_session_that_ended_is_begun_anew() -> None:
    found, signed = log({"note": "n"}, 401, {"note": "m"})
    assert (found.latest(), found.latest(), len(signed)) == ("n", "m", 2)


@pytest.mark.parametrize("answer", [503, 403, httpx.ConnectError("down"), {"no": "note"}])
def test_what_passes_is_asked_again_later(answer: Any) -> None:
    with pytest.raises(Unreachable):
        log(answer)[0].latest()


@pytest.mark.parametrize("status", [422, 500])
def test_a_log_that_has_lost_what_it_signed_cannot_prove_it(status: int) -> None:
    with pytest.raises(Unproved):
        log(status)[0].consistency(1, 2)


def test_a_cosignature_that_is_refused_is_told_plainly() -> None:
    with pytest.raises(Unusable):
        log(409)[0].publish("note", "key")
