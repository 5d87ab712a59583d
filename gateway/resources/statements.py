"""`GET /audit/statements/{id}`: a statement as one file, piece by piece; each piece is identified anew."""

from __future__ import annotations

from typing import Any

import falcon.asgi
import msgspec
from pydantic import ValidationError

from gateway.asking import Asking
from services.contracts.errors import NotVisible, Unavailable
from services.contracts.statements import MOST_LINES, GetStatement

_MOST_PIECES = MOST_LINES // 50
_decode = msgspec.json.decode


class Statements:
    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response, statement_id: str) -> None:
        self._asking.sessions.token(req)
        found = await whole(self._asking, req, statement_id)
        about = found.pop("disclosed")
        resp.set_header("Consultation", about["entry_id"])
        resp.set_header("Inclusion-By", about["by"])
        resp.set_header("Content-Disposition", 'attachment; filename="statement.json"')
        resp.content_type = falcon.MEDIA_JSON
        resp.data = msgspec.json.encode(found)


async def whole(asking: Asking, req: falcon.asgi.Request, statement_id: str) -> dict[str, Any]:
    """The file, with `disclosed` of its first piece beside. Raises NotVisible, Unavailable."""
    found: dict[str, Any] = {}
    cursor: str | None = None
    for _ in range(_MOST_PIECES):
        try:
            request = GetStatement(statement_id=statement_id, cursor=cursor)
        except ValidationError:
            await asking.identify(req, "audit", "get_statement")
            raise NotVisible from None
        part = _decode(await asking.ask(req, "audit", "get_statement", request, msgspec.Raw))
        cursor = part.pop("next")
        if found:
            found["lines"] += part["lines"]
        else:
            found = part
        if cursor is None:
            return found
    raise Unavailable(cause="a statement that has no end")
