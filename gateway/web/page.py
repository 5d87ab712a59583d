"""What every page does alike: who visits, forms that keep what was typed, refusals in plain words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

import falcon
import falcon.asgi

from gateway.asking import Asking
from gateway.web import barring, words
from gateway.web.assets import Assets
from gateway.web.forms.fields import Field
from gateway.web.forms.form import CSRF, ONCE, Form, NotRight, Typed
from gateway.web.headers import secure
from gateway.web.menu import Menu
from gateway.web.templating import Templates
from gateway.web.visit import Body, Visit
from services.chassis.logs import log
from services.contracts.errors import (
    ConcordatError,
    CsrfRequired,
    Internal,
    Malformed,
    MethodNotAllowed,
    NotVisible,
    PasswordChangeRequired,
    ProcedureUnsigned,
    ReasonRequired,
    TotpNotEnrolled,
    Unauthenticated,
)

_SECRET = ("password", "totp", "code", "passkey")
_FIRST: dict[type[ConcordatError], str] = {
    PasswordChangeRequired: "/account/password",
    TotpNotEnrolled: "/account/totp",
    ProcedureUnsigned: "/procedure",
}
"""Where a session has to go before anything else."""
BEFORE_ALL: tuple[type[ConcordatError], ...] = (Unauthenticated, CsrfRequired, *_FIRST)
"""Refusals that are about the session, not about what was typed."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A page: its template and what stands in it."""

    template: str
    context: Body
    status: int = 200


@dataclass(frozen=True, slots=True)
class Gone:
    """On to another page (303), so that reading it again sends nothing again."""

    to: str


Outcome = Shown | Gone


@dataclass(frozen=True, slots=True)
class Site:
    """What all pages share."""

    asking: Asking
    templates: Templates
    assets: Assets


class Page:
    """One path. Subclasses have `get` and `post`; what they raise becomes a page here."""

    open: ClassVar[bool] = False
    """Whether it is for people without a session, too."""

    def __init__(self, site: Site) -> None:
        self.site = site

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        raise falcon.HTTPMethodNotAllowed(["POST"])

    async def post(self, visit: Visit, **ids: str) -> Outcome:
        raise falcon.HTTPMethodNotAllowed(["GET"])

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, **ids: str) -> None:
        visit = Visit(self.site.asking, req, resp)
        await self._answer(visit, lambda: self._get(visit, ids))

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, **ids: str) -> None:
        visit = Visit(self.site.asking, req, resp)
        await self._answer(visit, lambda: self._post(visit, ids))

    async def _get(self, visit: Visit, ids: dict[str, str]) -> Outcome:
        if not self.open:
            visit.count_unread()
        return await self.get(visit, **ids)

    async def _post(self, visit: Visit, ids: dict[str, str]) -> Outcome:
        await visit.read_form()
        if not self.open:
            visit.prove()
        elif not visit.from_our_own_page():
            raise CsrfRequired
        return await self.post(visit, **ids)

    async def _answer(self, visit: Visit, act: Callable[[], Any]) -> None:
        try:
            outcome: Outcome = await act()
        except falcon.HTTPError as problem:
            outcome = refused(visit, NotVisible() if problem.status_code == 404 else _method(problem))
        except ConcordatError as problem:
            outcome = refused(visit, problem)
        except Exception as problem:
            log.error("failed", exc_info=problem)
            outcome = refused(visit, Internal())
        await self.write(visit, outcome)

    async def write(self, visit: Visit, outcome: Outcome) -> None:
        """Make the answer, with what every answer of the web client carries."""
        secure(visit.resp)
        if isinstance(outcome, Gone):
            visit.resp.status = falcon.HTTP_303
            visit.resp.set_header("Location", outcome.to)
            return
        await visit.settle()
        try:
            text = self._text(visit, outcome)
        except Exception as problem:
            log.error("not_rendered", template=outcome.template, exc_info=problem)
            outcome = _refusal(Internal())
            text = self._text(visit, outcome)
        visit.resp.status = outcome.status
        visit.resp.content_type = "text/html; charset=utf-8"
        visit.resp.text = text

    def _text(self, visit: Visit, shown: Shown) -> str:
        return self.site.templates.render(shown.template, frame(visit, shown.context))


class FormPage(Page):
    """A page with one form on it: shown empty, shown again with what is wrong, or done and gone."""

    fields: ClassVar[tuple[Field, ...]] = ()

    def make(self, typed: Typed | None = None) -> Form:
        """The form, with what was typed; one whose questions depend on that is made differently."""
        return Form(self.fields, typed)

    async def show(self, visit: Visit, form: Form, **ids: str) -> Shown:
        """The page with `form` on it."""
        raise NotImplementedError

    async def act(self, visit: Visit, form: Form, **ids: str) -> Outcome:
        """Do what the form says. Raises NotRight when the form says what is wrong with it."""
        raise NotImplementedError

    async def get(self, visit: Visit, **ids: str) -> Outcome:
        return await self.show(visit, self.make(), **ids)

    async def post(self, visit: Visit, **ids: str) -> Outcome:
        form = self.make(visit.typed)
        if not self.open:
            visit.count_unread()
        status = 422
        try:
            form.check()
            form.require()
            return await self.act(visit, form, **ids)
        except NotRight:
            pass
        except BEFORE_ALL as problem:
            if not self.open:
                raise
            form.refused(problem, visit.request_id)
            status = problem.status
        except ConcordatError as problem:
            form.refused(problem, visit.request_id)
            status = problem.status
            failed = problem
            try:
                shown = await self.show(visit, form, **ids)
            except ConcordatError:
                # The page itself cannot be had now; what was typed can.
                return kept(visit, failed, form)
            return Shown(shown.template, shown.context, status)
        shown = await self.show(visit, form, **ids)
        return Shown(shown.template, shown.context, status)


class NotFound(Page):
    """What is no page at all: the same page as what nobody may know of."""

    async def on_any(self, req: falcon.asgi.Request, resp: falcon.asgi.Response | None, **ids: str) -> None:
        assert resp is not None
        visit = Visit(self.site.asking, req, resp)
        visit.count_unread()
        await self.write(visit, refused(visit, NotVisible()))


def frame(visit: Visit, context: Body) -> Body:
    """What the layout wants, with what the page has."""
    person = visit.person
    return {
        "marking": "official",
        "live": None,
        "section": "",
        "form": None,
        **context,
        "person": person,
        "unprintable": person is not None and context.get("marking") in person.unprintable,
        "menu": Menu(person, context.get("section", ""), visit.unread) if person else None,
        "unread": visit.unread,
        "csrf": visit.csrf,
        "leaves": bool(visit.csrf) and visit.path not in ("/log-in", "/activate"),
        "path": visit.path,
        "request_id": visit.request_id,
    }


def refused(visit: Visit, problem: ConcordatError) -> Outcome:
    """The page for a refusal; the place to go when something has to be done first."""
    if problem.status >= 500:
        log.info("unavailable", code=problem.code, reason=problem.cause)
    code = problem.public_code
    if problem.retry_after is not None:
        visit.resp.set_header("Retry-After", str(problem.retry_after))
    if visit.from_elsewhere():
        visit.typed = {}
    if visit.typed and code != "bad_credentials":
        return kept(visit, problem, Form((), visit.typed))
    if type(problem) in _FIRST:
        first = _FIRST[type(problem)]
        if first != visit.path:
            return Gone(f"{first}?next={quote(here(visit), safe='')}")
    if isinstance(problem, Unauthenticated):
        visit.end_session()
        return Gone(f"/log-in?next={quote(here(visit), safe='')}")
    if isinstance(problem, ReasonRequired):
        return Shown("cases/reason.html", {"next": here(visit), "missing": None}, 403)
    if isinstance(problem, barring.CODES):
        return Shown("errors/barred.html", barring.told(problem, here(visit)), problem.status)
    return _refusal(problem)


def _refusal(problem: ConcordatError) -> Shown:
    code = problem.public_code
    context = {"problem": problem, "code": code, "says": words.refusal(code)}
    return Shown("errors/refused.html", context, problem.status)


def kept(visit: Visit, problem: ConcordatError, form: Form) -> Shown:
    """What was typed, to be sent again: the page it was typed into cannot be had now."""
    typed = [
        (name, value.replace("\r\n", "\n"))
        for name, values in visit.typed.items()
        if name not in (CSRF, ONCE) and not name.startswith(_SECRET)
        for value in values
    ]
    return Shown(
        "errors/kept.html",
        {
            "code": problem.public_code,
            "says": words.refusal(problem.public_code),
            "visible": [(name, value) for name, value in typed if is_prose(name, value)],
            "hidden": [(name, value) for name, value in typed if not is_prose(name, value)],
            "once": form.once,
            "expired": isinstance(problem, Unauthenticated) and not isinstance(problem, CsrfRequired),
        },
        problem.status,
    )


def is_prose(name: str, value: str) -> bool:
    """Whether a person typed it and may want it back, rather than ticked it."""
    return " " in value.strip() and not name.startswith("draft")


def here(visit: Visit) -> str:
    """This page with its query, to come back to; only for reading."""
    query = visit.req.query_string
    return f"{visit.path}?{query}" if query and visit.req.method == "GET" else visit.path


def local(target: str, otherwise: str = "/") -> str:
    """`target` if it is a path of this site, else `otherwise`: nobody is sent elsewhere from here."""
    parts = urlsplit(target)
    safe = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.netloc
    return target if safe and target.isprintable() and "\\" not in target else otherwise


def _method(problem: falcon.HTTPError) -> ConcordatError:
    return MethodNotAllowed() if problem.status_code == 405 else Malformed()
