"""The whole log, for a data protection officer to keep and to check with a program of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from services.audit.domain import cursors, exporting
from services.audit.domain.sight import Sight, sight_of
from services.audit.handlers.reading import Reading
from services.audit.stores.entries import Detail
from services.audit.stores.tree import damaged
from services.chassis.rpc import rpc
from services.contracts.access import has_role
from services.contracts.audit import ExportEntries, ExportPage
from services.contracts.caller import Caller
from services.contracts.errors import Malformed, Refused, RoleRequired, Unavailable
from services.contracts.permissions import PERMITS
from services.contracts.records import Object, Record

PERMIT = PERMITS["audit"]["export_entries"]
READ_AT_ONCE = 100
ENOUGH = 400_000
"""Characters of a page: a reply has a megabyte at most, and an entry of a hundred objects 30 kB."""
Leaf = tuple[int, bytes, bytes, Detail | None]
"""Index, leaf, hash, and what is kept beside it."""


class ExportHandlers(Reading):
    """The export. Its first page chooses the checkpoint that it ends with; its cursor keeps to it."""

    @rpc(expected_exceptions=(Malformed, Refused))
    def export_entries(self, request: ExportEntries, caller: Caller) -> ExportPage:
        """The next piece. Raises RoleRequired, Malformed, Unavailable, and what a place or device is refused
        with."""
        if not has_role(caller, PERMIT):
            problem = RoleRequired()
            self.refused(caller, Object(type="log", id="export"), problem, how="exported")
            raise problem
        self.may_take_away(caller, Object(type="log", id="export"))
        begin, size, note = self._ends_with(request.cursor)
        read = self._leaves_from(begin, size)
        records = [None if detail is None else detail.record for *_, detail in read]
        named = [record for record in records if record is not None]
        sight = sight_of(caller).without(self.kept_from(caller, named))
        lines, length = list[str](), 0
        for text in _lines(read, records, sight):
            length += len(text)
            if lines and length > ENOUGH:
                break
            lines.append(text)
        end = begin + len(lines)
        done = end >= size
        if done:
            lines.append(exporting.last_line(note))
        disclosed = self.recorded(
            caller,
            [Object(type="log", id="export"), Object(type="log", id=f"{begin}-{end}")],
            how="exported",
            action="log.export",
        )
        return ExportPage(
            lines=tuple(lines), next=None if done else cursors.write(end, size), disclosed=disclosed
        )

    def _ends_with(self, cursor: str | None) -> tuple[int, int, str]:
        """Where to begin, and size and note of the checkpoint."""
        if cursor is None:
            latest = self.tree.latest()
            if latest is None:
                raise Unavailable(cause="no checkpoint yet")
            return 0, latest[0], latest[2]
        begin, size = cursors.read(cursor, 2)
        note = self.tree.note(size)
        if note is None or begin >= size:
            raise Malformed(cause="cursor")
        return begin, size, note

    def _leaves_from(self, begin: int, size: int) -> list[Leaf]:
        """Enough for a page if every detail is in it, so that `sharing` is asked once about it."""
        read, length = list[Leaf](), 0
        while begin < size and length <= ENOUGH:
            end = min(begin + READ_AT_ONCE, size)
            leaves = self.tree.leaves(begin, end)
            if missing := set(range(begin, end)) - {index for index, _, _ in leaves}:
                raise damaged(min(missing))
            details = self.entries.between(begin, end)
            read += [(index, leaf, hashed, details.get(index)) for index, leaf, hashed in leaves]
            length += sum(len(leaf) for _, leaf, _ in leaves) + sum(len(one.text) for one in details.values())
            begin = end
        return read


def _lines(read: Sequence[Leaf], records: Sequence[Record | None], sight: Sight) -> Iterator[str]:
    """Every leaf, as the root is computed of all; the detail of what the reader may see whole."""
    for (index, leaf, hashed, detail), record in zip(read, records, strict=True):
        if detail is not None and record is not None and sight.sees_whole(record):
            yield exporting.line(index, leaf, hashed, detail.text, detail.salt)
        else:
            yield exporting.line(index, leaf, hashed, None, None)
