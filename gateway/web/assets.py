"""Static files: read once at start, served under a path that changes with their content, for a year.

`/static/<hash>/app.css`: the hash is of all files together, so that what they import of each other keeps to
one version. `deploy/assets.sh` puts the vendors' files there.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

import falcon.asgi

from services.contracts.errors import NotVisible

FOLDER = Path(__file__).parent / "static"
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    packed: bytes
    type: str


class Assets:
    """The files of one folder, by their path in it."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files = {
            path.relative_to(folder).as_posix(): _read(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.name.startswith(".")
        }
        digest = hashlib.sha256()
        for name, file in self._files.items():
            digest.update(name.encode() + b"\0" + file.body)
        self.version = digest.hexdigest()[:16]

    def url(self, name: str) -> str:
        """Where a page finds `name`. One that is missing is still named: the page works without it."""
        return f"/static/{self.version}/{name}"

    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, version: str, name: str
    ) -> None:
        file = self._files.get(name)
        if file is None:
            raise NotVisible
        current = version == self.version
        resp.set_header("Cache-Control", "public, max-age=31536000, immutable" if current else "no-cache")
        resp.set_header("Vary", "Accept-Encoding")
        resp.etag = self.version
        resp.content_type = file.type
        if f'"{self.version}"' in (req.get_header("If-None-Match") or ""):
            resp.status = falcon.HTTP_304
            return
        if file.packed and "gzip" in (req.get_header("Accept-Encoding") or ""):
            resp.set_header("Content-Encoding", "gzip")
            resp.data = file.packed
        else:
            resp.data = file.body


def _read(path: Path) -> _File:
    body = path.read_bytes()
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return _File(body, gzip.compress(body, 9, mtime=0) if len(body) > 1000 else b"", kind)
