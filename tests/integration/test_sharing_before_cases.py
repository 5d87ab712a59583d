"""A `sharing` that starts while `cases` is away does not know whether its database is an older copy. Until it
does it lets nobody in, says why, and needs nobody to go on."""

from __future__ import annotations

from typing import Any

import pytest

from services.contracts.authority import GetAccessLists
from services.contracts.sharing.sessions import Credentials, LogIn
from tests.cell import Parts
from tests.integration.calling import Calling, Instance, instances
from tests.integration.restoring import failing
from tests.integration.sharing_gate import CASES, SHARING, begin_anew
from tests.waiting import until

ASKED = LogIn(credentials=Credentials(username="nobody", password="never was right"))


@pytest.fixture
def waiting(parts: Parts, tmp_path: Any) -> Any:
    begin_anew(parts)
    made = Instance(parts, "sharing", SHARING, tmp_path / "sharing.log", CONCORDAT_INSTANCE="sharing-waits")
    yield made
    made.end()


def test_it_serves_nobody_and_says_why_until_cases_answers_and_then_goes_on_by_itself(
    parts: Parts, calling: Calling, waiting: Instance, tmp_path: Any
) -> None:
    until(lambda: failing(waiting) == ["cases_answered"], seconds=20)
    until(lambda: waiting.said("serving_nobody_until_cases_answers"), seconds=20)
    with Calling(parts, "cases") as holder:
        assert calling.code("sharing.log_in", ASKED) == "unavailable"
        assert holder.code("sharing.access_lists", GetAccessLists(case_ids=())) == "unavailable"
    until(lambda: waiting.count("serving_nobody_until_cases_answers") > 1, seconds=20)  # it goes on trying
    with instances(parts, tmp_path, CASES) as (cases,):
        until(lambda: failing(waiting) == [], seconds=20)
        assert waiting.said("serving_since_cases_answered")
        assert calling.code("sharing.log_in", ASKED) == "bad_credentials"
        # What it has once heard it knows: it goes on when cases is away again.
        cases.kill()
        until(lambda: waiting.said("authority_not_witnessed"), seconds=20)
        assert failing(waiting) == []
        assert calling.code("sharing.log_in", ASKED) == "bad_credentials"
