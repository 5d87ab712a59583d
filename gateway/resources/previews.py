"""`POST /cases/{id}/shares/preview`: `sharing` judges the share, `cases` shows what its members would see."""

from __future__ import annotations

import falcon.asgi
import msgspec
from pydantic import ValidationError

from gateway import answers, bodies
from gateway.asking import Asking
from services.contracts.cases.cases import PreviewCase, PreviewedShare
from services.contracts.errors import NotVisible
from services.contracts.sharing.shares import CheckShare, ShareBody


class Previews:
    """Answers the terms as they would be granted and, as `shows`, the case as its members would see it."""

    def __init__(self, asking: Asking, body_limit: int) -> None:
        self._asking, self._limit = asking, body_limit

    async def on_post(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, case_id: str) -> None:
        self._asking.sessions.token(req)
        share = await bodies.read(req, ShareBody, self._limit)
        try:
            check = CheckShare(case_id=case_id, share=share)
        except ValidationError:
            await self._asking.identify(req, "sharing", "check_share")
            raise NotVisible from None
        terms = await self._asking.ask(req, "sharing", "check_share", check, msgspec.Raw)
        shown = await self._asking.ask(req, "cases", "preview_case", _preview(case_id, share), msgspec.Raw)
        answers.write_both(resp, terms, "shows", shown)


def _preview(case_id: str, share: ShareBody) -> PreviewCase:
    return PreviewCase(
        case_id=case_id,
        share=PreviewedShare(
            agency_id=share.agency_id, level=share.level, sections=share.sections, side=share.side
        ),
    )
