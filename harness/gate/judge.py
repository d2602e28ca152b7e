"""Decides every condition of a gate on the interval of its number."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.finished import FinishedRun
from harness.gate.conditions import Condition, Gate
from harness.gate.paths import NoSuchNumber, Number, estimate, keys_of, number_at
from harness.settings import ConfigError
from harness.summary.changes import Change, Changes
from harness.summary.estimates import Statistician
from harness.summary.pairing import Pairing, Side

Outcome = Literal["shown", "open", "refuted", "undecided"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one condition."""

    name: str
    holds: bool
    outcome: Outcome
    """`undecided`: there is no number, or too few patients, or sentences failed that were answered before."""
    reason: str

    def __str__(self) -> str:
        return f"{'holds ' if self.holds else 'BROKEN'}  {self.name}: {self.reason}"


def judge(gate: Gate, run: FinishedRun, pinned: FinishedRun | None = None) -> list[Verdict]:
    """A verdict for every condition, in order. What cannot be decided is broken.

    Raises:
        ConfigError: the gate asks for changes, and there is no pinned run.
    """
    if gate.asks_for_changes and pinned is None:
        raise ConfigError("the gate has conditions on a change: name the pinned run by `against: DIR` in the gate file")
    return [_judge(gate, condition, run, pinned) for condition in gate.conditions]


def told(verdicts: Sequence[Verdict]) -> str:
    """The verdicts as lines of text."""
    broken = sum(not verdict.holds for verdict in verdicts)
    first = f"GATE BROKEN: {broken} of {len(verdicts)}" if broken else f"gate holds: {len(verdicts)}"
    return "\n".join([f"{first} conditions", *(f"  {verdict}" for verdict in verdicts)])


def _judge(gate: Gate, condition: Condition, run: FinishedRun, pinned: FinishedRun | None) -> Verdict:
    try:
        number = (
            number_at(run.summary, condition.value)
            if pinned is None or condition.value
            else _changed(condition.change, run, pinned)
        )
    except NoSuchNumber as missing:
        return Verdict(condition.name, False, "undecided", str(missing))
    if number.patients is not None and number.patients < gate.fewest_patients:
        few = f"is {number}, from {number.patients} patients: fewer than {gate.fewest_patients} decide nothing"
        return Verdict(condition.name, False, "undecided", few)
    return _decide(condition, number, shown=gate.required(condition) == "shown")


def _decide(condition: Condition, number: Number, *, shown: bool) -> Verdict:
    outcomes = [_outcome(word, bound, number) for word, bound in condition.bounds()]
    worst: Outcome = next(o for o in ("refuted", "open", "shown") if o in outcomes)
    holds = worst == "shown" or (worst == "open" and not shown)
    asked = "it must be shown" if shown else "it must not be refuted"
    return Verdict(condition.name, holds, worst, f"is {number}, {MEANING[worst]} ({asked})")


MEANING: dict[Outcome, str] = {
    "shown": "shown: the whole interval lies within the bounds",
    "open": "neither shown nor refuted: a bound lies inside the interval",
    "refuted": "refuted: the whole interval lies beyond a bound",
}


def _outcome(word: str, bound: float, number: Number) -> Outcome:
    """Whether a bound is kept, by the interval alone."""
    inside, outside = (number.low, number.high) if word == "at least" else (-number.high, -number.low)
    limit = bound if word == "at least" else -bound
    return "shown" if inside >= limit else "refuted" if outside < limit else "open"


def _changed(path: str, run: FinishedRun, pinned: FinishedRun) -> Number:
    change = dict(_changes(keys_of(run.summary, path), run, pinned)).get(path)
    if change is None:
        raise NoSuchNumber("the two runs have no sentence in common with a value")
    if change.newly_failed:
        raise NoSuchNumber(f"{change.newly_failed} sentence(s) that were answered in the pinned run failed")
    return estimate(change.difference, path)


def _changes(keys: tuple[str, ...], run: FinishedRun, pinned: FinishedRun) -> Iterator[tuple[str, Change]]:
    """Changes of the figures beside the one that these keys lead to, by their paths.

    Raises:
        NoSuchNumber: it cannot be followed from run to run.
    """
    section, model, *rest = keys if len(keys) > 1 else (*keys, "")
    statistics = Statistician(run.summary["resamples"], run.summary["seed"])
    changes = Changes(Pairing(Side(pinned.cases, model), Side(run.cases, model)), statistics)
    path = ".".join(keys)
    if section in ("models", "deltas") and len(rest) == 4:
        perturbation, subset, profile, metric = rest
        follow = changes.of_metrics if section == "models" else changes.of_deltas
        yield from ((path, change) for change in follow(perturbation, subset, [f"{profile}_{metric}"]).values())
    elif section == "laterality" and rest == ["lri"]:
        yield from ((path, change) for change in changes.of_laterality().values())
    elif section == "opt_out" and rest:
        yield from ((f"{section}.{model}.{name}", change) for name, change in changes.of_opt_out().items())
    else:
        raise NoSuchNumber(f"{path} cannot be followed from run to run: metrics, deltas, lri, opt-out figures can")
