"""How a holder's view leaves: its body once serialised, what it says about itself in headers.

A view comes as a model, or as the JSON that the holder sent (`msgspec.Raw`): then it is only passed on, and
`etag` and `disclosed` are taken out on the way.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import falcon
import falcon.asgi
import msgspec

from services.contracts.errors import Internal
from services.contracts.views import View

JSON = "application/json"
_OUTSIDE = {"etag", "disclosed"}
_split = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_text = msgspec.json.Decoder(str | None).decode
_encode = msgspec.json.Encoder().encode


class _Disclosed(msgspec.Struct):
    entry_id: str
    by: str


_disclosed = msgspec.json.Decoder(_Disclosed | None).decode


def write(
    req: falcon.asgi.Request,
    resp: falcon.asgi.Response,
    view: View | msgspec.Raw,
    status: int = 200,
) -> None:
    """Make `resp` the answer that shows `view`: 304 if the client has it already, 204 with `status` 204."""
    fields = _fields(view)
    etag = headers(resp, fields)
    if etag is not None and req.method in ("GET", "HEAD") and has(req, etag):
        resp.status = falcon.HTTP_304
        return
    if status == 204:
        resp.status = falcon.HTTP_204
        return
    resp.status = status
    resp.content_type = JSON
    if req.method in ("GET", "HEAD"):
        link(req, resp, fields)
    resp.data = _encode(fields)


def headers(resp: falcon.asgi.Response, fields: dict[str, msgspec.Raw]) -> str | None:
    """Take `etag` and `disclosed` out of `fields` into headers; the ETag as it stands in its header."""
    about, etag = fields.pop("disclosed", None), fields.pop("etag", None)
    if about is not None and (said := _disclosed(about)) is not None:
        resp.set_header("Consultation", said.entry_id)
        resp.set_header("Inclusion-By", said.by)
    if etag is None or (opaque := _text(etag)) is None:
        return None
    quoted = quote(opaque)
    resp.set_header("ETag", quoted)
    return quoted


def quote(opaque: str) -> str:
    """A holder's ETag as a header has it."""
    return opaque if opaque.startswith(('"', 'W/"')) else f'"{opaque}"'


def has(req: falcon.asgi.Request, etag: str) -> bool:
    """Whether If-None-Match names this ETag (RFC 9110, section 13.1.2: weak comparison), or is `*`."""
    given = req.get_header("If-None-Match")
    if given is None:
        return False
    if given.strip() == "*":
        return True
    ours = etag.removeprefix("W/")
    return any(one.strip().removeprefix("W/") == ours for one in given.split(","))


def link(req: falcon.asgi.Request, resp: falcon.asgi.Response, fields: dict[str, msgspec.Raw]) -> None:
    """Say in a Link header where a list goes on (RFC 8288)."""
    found = fields.get("next")
    if found is None or "items" not in fields or (cursor := _text(found)) is None:
        return
    params: dict[str, Any] = {name: value for name, value in req.params.items() if name != "cursor"}
    resp.set_header("Link", f'<{req.path}?{urlencode({**params, "cursor": cursor}, doseq=True)}>; rel="next"')


def _fields(view: View | msgspec.Raw) -> dict[str, msgspec.Raw]:
    data = bytes(view) if isinstance(view, msgspec.Raw) else _serialised(view)
    try:
        return _split(data)
    except msgspec.MsgspecError:
        raise Internal(cause="reply: of another shape") from None


def _serialised(view: View) -> bytes:
    return view.__pydantic_serializer__.to_json(view, exclude_unset=True)


def write_both(resp: falcon.asgi.Response, outer: msgspec.Raw, name: str, inner: msgspec.Raw) -> None:
    """One body of two views: `inner` is the field `name` of `outer`. What was disclosed is `inner`."""
    fields, within = _fields(outer), _fields(inner)
    for field in _OUTSIDE:
        fields.pop(field, None)
    headers(resp, within)
    fields[name] = msgspec.Raw(_encode(within))
    resp.content_type = JSON
    resp.data = _encode(fields)
