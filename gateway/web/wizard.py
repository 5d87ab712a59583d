"""Forms of several steps: what every one of them does when something is wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from gateway.web.forms.form import Form, NotRight
from gateway.web.page import BEFORE_ALL, Outcome, Shown
from gateway.web.visit import Visit
from services.contracts.errors import ConcordatError


async def stepped(
    visit: Visit, form: Form, going: Awaitable[Outcome], same: Callable[[], Awaitable[Shown]]
) -> Outcome:
    """What `going` comes to; if it says that the form is wrong, `same`: this step again, nothing lost.

    Refusals that no form can mend are raised: the page for kept text takes over.
    """
    status = 422
    try:
        return await going
    except NotRight:
        pass
    except BEFORE_ALL:
        raise
    except ConcordatError as problem:
        form.refused(problem, visit.request_id)
        status = problem.status
    shown = await same()
    return Shown(shown.template, shown.context, status)
