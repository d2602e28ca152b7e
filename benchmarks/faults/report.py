"""The campaign as numbers and as a table."""

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from benchmarks.faults.campaign import Fault
from benchmarks.faults.kinds import KINDS
from benchmarks.faults.ledger import RIGHT, UNANSWERED, WRONG, total
from benchmarks.faults.stage import Result

_HEAD = (
    "fault",
    "faults",
    "calls",
    "right",
    "wrong",
    "typed errors",
    "unanswered",
    "healthy after, median / worst",
    "target",
    "left behind",
)


def broken(result: Result) -> list[str]:
    """The promises that were broken, in words. Times are told and not judged: they are upper bounds wherever the
    machine does something else as well."""
    found = []
    for fault in result.faults:
        found += [f"{fault.kind}: {fault.calls[bad]} {bad}" for bad in (WRONG, UNANSWERED) if fault.calls[bad]]
        found += [f"{fault.kind}: not healthy again"] if fault.healed_s is None else []
        found += [f"{fault.kind}: left {what}" for what in fault.left]
    found += [f"at the end: left {what}" for what in result.left_at_the_end]
    found += [f"died before the end: {caller}" for caller in result.dead_callers]
    return found + ([f"the server ended with status {result.exit_status}"] if result.exit_status else [])


def late(result: Result) -> list[str]:
    """Faults after which it took longer than the target until all was healthy again, in words."""
    target_s = {kind.name: kind.target_s for kind in KINDS}
    return [
        f"{fault.kind}: healthy after {fault.healed_s:.1f} s, the target is {target:g} s"
        for fault in result.faults
        if fault.healed_s is not None and (target := target_s[fault.kind]) is not None and fault.healed_s > target
    ]


def as_json(result: Result) -> dict[str, Any]:
    """Everything, for a file."""
    faults = [{**asdict(replace(each, calls=Counter())), "calls": dict(each.calls)} for each in result.faults]
    return {**asdict(replace(result, faults=())), "faults": faults, "broken": broken(result), "late": late(result)}


def as_markdown(result: Result) -> str:
    """Facts, a row for each kind and one for all of them, and what else there is to tell."""
    facts = " · ".join(f"{name} {value}" for name, value in result.facts.items())
    undone = result.asked - len(result.faults)
    told = [
        f"Typed errors: {_errors_in_words(result.faults) or 'none'}.",
        *(f"Left out: {kind} ({why})." for kind, why in result.left_out.items()),
        *([f"Not done for want of time: {undone} faults."] if undone else []),
        f"When it was stopped in the end, the server's status was {result.exit_status}, "
        f"and what it left behind: {', '.join(result.left_at_the_end) or 'nothing'}.",
    ]
    return "\n".join([facts, "", _table(result.faults), *told, ""])


def _table(faults: Sequence[Fault]) -> str:
    by_kind = [(kind, [fault for fault in faults if fault.kind == kind.name]) for kind in KINDS]
    rows = [_row(kind.name, kind.target_s, mine) for kind, mine in by_kind if mine]
    lines = [_HEAD, [":--"] + ["--:"] * (len(_HEAD) - 1), *rows, _row("all", None, faults)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _errors_in_words(faults: Sequence[Fault]) -> str:
    """Which typed errors there were, the most frequent first."""
    calls = total(fault.calls for fault in faults)
    typed = [(code, count) for code, count in calls.most_common() if code not in (RIGHT, WRONG, UNANSWERED)]
    return ", ".join(f"{count} `{code}`" for code, count in typed)


def _row(name: str, target_s: float | None, faults: Sequence[Fault]) -> list[str]:
    calls = total(fault.calls for fault in faults)
    typed = calls.total() - calls[RIGHT] - calls[WRONG] - calls[UNANSWERED]
    numbers = (len(faults), calls.total(), calls[RIGHT], calls[WRONG], typed, calls[UNANSWERED])
    target = "" if target_s is None else f"{target_s:g} s"
    return [name, *map(str, numbers), _times(faults), target, str(sum(len(fault.left) for fault in faults))]


def _times(faults: Sequence[Fault]) -> str:
    healed = [fault.healed_s for fault in faults if fault.healed_s is not None]
    never = len(faults) - len(healed)
    times = f"{statistics.median(healed):.1f} / {max(healed):.1f} s" if healed else ""
    return ", ".join(filter(None, [times, f"{never} never" if never else ""]))
