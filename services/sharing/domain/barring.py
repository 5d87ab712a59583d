"""What stands against a caller by itself: training, network, device (`contracts.bars`). Pure.

`identify` puts the answer into the caller; the holder, who knows a case's use and marking, looks it up there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, get_args

from services.contracts.bars import Bar, BarCode, for_export, for_marking, for_use
from services.contracts.vocabulary import DeviceClass, Marking, Template
from services.sharing.domain.places import PlaceRule, rule_for

CodeFrom = Literal["nowhere", "possible", "given"]
"""Of a fresh code, or a passkey: there is none, it could be given, it was given in this session."""
_MARKINGS: tuple[Marking, ...] = get_args(Marking)


def of_training(
    required: Iterable[Template], uses: Iterable[Template], cites: Mapping[str, str]
) -> dict[str, Bar]:
    """`uses`: those with current training."""
    return {for_use(use): _bar("training_required", cites) for use in sorted(set(required).difference(uses))}


def of_place(
    rules: Iterable[PlaceRule],
    address: str | None,
    device_class: DeviceClass,
    code: CodeFrom,
    cites: Mapping[str, str],
) -> dict[str, Bar]:
    """A code lifts the refusal to show, where the rule says so; never the one to export."""
    kept, found = tuple(rules), dict[str, Bar]()
    for marking in _MARKINGS:
        rule = rule_for(kept, marking)
        refusal = None if rule is None else rule.refusal(address, device_class)
        if rule is None or refusal is None:
            continue
        found[for_export(marking)] = _bar(refusal, cites)
        if not rule.step_up or code == "nowhere":
            found[for_marking(marking)] = _bar(refusal, cites)
        elif code == "possible":
            found[for_marking(marking)] = _bar("step_up_required", cites, refusal)
    return found


def _bar(code: BarCode, cites: Mapping[str, str], behind: BarCode | None = None) -> Bar:
    """`behind`: what a code would lift; its clause stands in for one of the code's own."""
    # Everything in it was made here: to check it again would cost every request.
    return Bar.model_construct(code=code, clause=cites.get(code) or cites.get(behind or code))
