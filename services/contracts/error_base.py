"""What an error is: a stable code and two faces.

The public face is the class's title (its docstring's first line), its code and the pointers to wrong fields;
it crosses the wire and reaches clients. The private face is `cause`: it is logged and never serialised.
Neither may hold personal data. `errors` has all that there are.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

REGISTRY: dict[str, type[ConcordatError]] = {}
BY_STATUS: dict[int, type[ConcordatError]] = {}


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field: an RFC 6901 pointer, a stable code, a sentence. Never the value."""

    pointer: str
    code: str
    detail: str


class ConcordatError(Exception):
    """The request failed."""

    code: str = "error"
    status: int = 500
    title: str = "The request failed"
    default_retry_after: ClassVar[int | None] = None
    _public_code: ClassVar[str | None] = None

    def __init_subclass__(
        cls, *, code: str, status: int | None = None, public_code: str | None = None, **more: Any
    ) -> None:
        super().__init_subclass__(**more)
        if code in REGISTRY:
            raise TypeError(f"two errors with the code {code}")
        cls.code = code
        cls.status = cls.status if status is None else status
        cls.title = (cls.__doc__ or code).strip().splitlines()[0].rstrip(".")
        cls._public_code = public_code or cls._public_code
        REGISTRY[code] = cls
        # The first class with a status is the general one: the tree is written in that order.
        BY_STATUS.setdefault(cls.status, cls)

    def __init__(
        self,
        *,
        cause: str | None = None,
        errors: tuple[FieldError, ...] = (),
        retry_after: int | None = None,
        clause: str | None = None,
        code: str | None = None,
        etag: str | None = None,
    ) -> None:
        """`cause` is private and free of personal data; `retry_after` is in seconds; `clause` is the rule;
        `etag` is what Stale tells as the present one."""
        super().__init__(self.title)
        self.code = code or type(self).code
        self.cause = cause
        self.errors = errors
        self.retry_after = self.default_retry_after if retry_after is None else retry_after
        self.clause = clause
        self.etag = etag

    @property
    def public_code(self) -> str:
        """The code that clients see: the inner codes of `Unavailable` are one to them."""
        return self._public_code or self.code

    def to_wire(self) -> dict[str, Any]:
        """What crosses the broker: plain JSON, without the private cause."""
        return {"code": self.code, "status": self.status, **self._details()}

    def to_problem(self, request_id: str) -> dict[str, Any]:
        """The public face as a problem of RFC 9457. `retry_after` and `etag` are headers, not here."""
        details = self._details()
        details.pop("retry_after", None)
        details.pop("etag", None)
        return {
            "type": f"urn:concordat:problem:{self.public_code}",
            # RFC 9457: one title per type, whichever inner code it stands for.
            "title": REGISTRY.get(self.public_code, type(self)).title,
            "status": self.status,
            "code": self.public_code,
            "request_id": request_id,
            **details,
        }

    def _details(self) -> dict[str, Any]:
        details: dict[str, Any] = {}
        if self.errors:
            details["errors"] = [asdict(error) for error in self.errors]
        if self.retry_after is not None:
            details["retry_after"] = self.retry_after
        if self.clause is not None:
            details["clause"] = self.clause
        if self.etag is not None:
            details["etag"] = self.etag
        return details
