"""Follows the log: counts people's days, and finds what is unusual, a little after it has happened."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from services.audit.domain.days import Day, Pair, act_of, named, opened_by, reckon, worked_on
from services.audit.domain.usage import Figures, count, figures_of, sums_of
from services.audit.domain.views import askable
from services.audit.handlers.reading import Reading
from services.audit.settings import AuditSettings
from services.audit.stores.days import DayStore, Overtaken
from services.chassis.timers import every
from services.contracts.authority import AccessLists, GetAccessLists, GetPrincipals, Principals
from services.contracts.errors import Unavailable

AT_ONCE = 500
_TURN = 10.0
"""Seconds that one turn may take; what is left is done by the next."""
_MOST_IDS = 200


class FollowingHandlers(Reading):
    days: DayStore
    settings: AuditSettings

    @every(2.0)
    def follow(self) -> None:
        """Count what has come into the log."""
        until = time.monotonic() + _TURN
        try:
            while time.monotonic() < until and self.count_some():
                pass
        except (Overtaken, Unavailable):
            return  # another instance does it; or the next turn

    def count_some(self) -> bool:
        """One step; False when there is nothing to count."""
        begin = self.days.next()
        end = min(self.tree.size(), begin + AT_ONCE)
        if begin >= end:
            return False
        found = self.entries.between(begin, end)
        acts = [act_of(found[index].text) for index in sorted(found)]
        worked = worked_on(acts)
        related = self._related(opened_by(acts) - worked) | worked
        known = self.days.days({act.key for act in acts if act.counts})
        before = {key: figures_of(day) for key, day in known.items()}
        changed, unusual = reckon(acts, known, related.__contains__, self.settings.thresholds)
        self._in_teams([day for key, day in changed.items() if key not in known])
        ids = {one.id for day in changed.values() for one in sums_of(day.day, day.agency_id)}
        sums = self.days.sums(ids)
        for key, day in changed.items():
            count(sums, day, before.get(key, Figures()))
        self.days.advance((begin, end), changed, unusual, worked, sums)
        return True

    def _related(self, pairs: Collection[Pair]) -> set[Pair]:
        """Those with a personal relation: by the log, or by the case's list as it is now."""
        found = self.days.related(pairs)
        left = set(pairs) - found
        cases = sorted({case for case, _ in left if askable(case)})
        for begin in range(0, len(cases), _MOST_IDS):
            asked = GetAccessLists(case_ids=tuple(cases[begin : begin + _MOST_IDS]))
            answer: AccessLists = self.sharing.call("access_lists", asked, reply=AccessLists)
            lists = {one.case_id: one for one in answer.items}
            found |= {pair for pair in left if pair[0] in lists and named(lists[pair[0]], pair[1])}
        return found

    def _in_teams(self, days: Sequence[Day]) -> None:
        """Which teams people are in when their day begins."""
        ids = sorted({day.actor_id for day in days if day.person and askable(day.actor_id)})
        teams: dict[str, tuple[str, ...]] = {}
        for begin in range(0, len(ids), _MOST_IDS):
            asked = GetPrincipals(ids=tuple(ids[begin : begin + _MOST_IDS]))
            answer: Principals = self.sharing.call("principals", asked, reply=Principals)
            teams |= {one.id: one.team_ids for one in answer.items}
        for day in days:
            day.team_ids = list(teams.get(day.actor_id, ()))
