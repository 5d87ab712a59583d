"""From where and on what cases of a marking may be opened: each agency's own rules (R31). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network

from services.contracts.bars import BarCode
from services.contracts.errors import FieldError, Invalid
from services.contracts.sharing.agencies import PlaceBody
from services.contracts.vocabulary import DeviceClass, Marking
from services.sharing.domain.clients import check_networks, lies_in


@dataclass(frozen=True)
class PlaceRule:
    """No networks: from anywhere. No classes: on any device. `step_up`: a fresh code lifts the refusal."""

    marking: Marking
    networks: tuple[str, ...] = ()
    device_classes: tuple[DeviceClass, ...] = ()
    step_up: bool = False

    @cached_property
    def _parsed(self) -> tuple[IPv4Network | IPv6Network, ...]:
        return tuple(ip_network(one) for one in self.networks)

    def refusal(self, address: str | None, device_class: DeviceClass) -> BarCode | None:
        """What stands against it; the network first, for another device would not help there."""
        if self.networks and not lies_in(self._parsed, address):
            return "network_not_permitted"
        if self.device_classes and device_class not in self.device_classes:
            return "device_not_permitted"
        return None


def rule_for(rules: Iterable[PlaceRule], marking: Marking) -> PlaceRule | None:
    """The one that holds for cases of this marking: what is more sensitive is open nowhere that the less
    sensitive is not, unless the agency says so by a rule."""
    found = {rule.marking: rule for rule in rules}
    return found.get(marking) or found.get("official")


def check_places(given: Sequence[PlaceBody]) -> tuple[PlaceRule, ...]:
    """In canonical form. Raises Invalid, `/places/<n>/…`."""
    errors, rules = list[FieldError](), list[PlaceRule]()
    for number, one in enumerate(given):
        networks: tuple[str, ...] = ()
        try:
            networks = check_networks(one.networks)
        except Invalid as problem:
            errors += [
                FieldError(f"/places/{number}{error.pointer}", error.code, error.detail)
                for error in problem.errors
            ]
        if one.marking in {rule.marking for rule in rules}:
            errors.append(FieldError(f"/places/{number}/marking", "twice", "There is a rule for it already."))
        classes = tuple(dict.fromkeys(one.device_classes))
        rules.append(PlaceRule(one.marking, networks, classes, one.step_up))
    if errors:
        raise Invalid(errors=tuple(errors))
    return tuple(rules)
