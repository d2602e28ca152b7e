"""The maps of one image as overlays: on one colour scale per model, with the words that were sent and what came out."""

import difflib

import numpy as np

from harness.report import heat, numbers, wording
from harness.report.exhibits import Overlay, Panel, Word
from harness.report.heat import FloatArray
from harness.report.reader import Json
from wronglung.geometry import Frame

LEAST_SPAN = 0.5
"""The colour scale spans at least so many multiples of uniform attention, so that a nearly flat map looks flat."""


def panels(entry: Json, frame: Frame, models: tuple[str, ...]) -> tuple[Panel, ...]:
    """One panel per model that the entry has arms of; `models` gives each its series."""
    shown = dict.fromkeys(str(arm["model"]) for arm in entry["arms"])
    series = {model: place for place, model in enumerate(models)}
    return tuple(
        _panel((model, series.get(model, -1)), [arm for arm in entry["arms"] if arm["model"] == model], entry, frame)
        for model in shown
    )


def _panel(model: tuple[str, int], arms: list[Json], entry: Json, frame: Frame) -> Panel:
    sentence = str(entry["sentence"])
    maps = [relative_map(arm) for arm in arms]
    known = [m for m in maps if m is not None]
    low = min((float(m.min()) for m in known), default=0.0)
    high = max([low + LEAST_SPAN, *(float(m.max()) for m in known)])
    overlays = (_overlay(arm, m, (low, high), sentence, frame) for arm, m in zip(arms, maps, strict=True))
    scale = (f"{numbers.number(low, 2)} ×", f"{numbers.number(high, 2)} ×")
    return Panel(*model, scale, tuple(overlays))


def relative_map(arm: Json) -> FloatArray | None:
    """The arm's map (rows, cols) in multiples of uniform attention; None if it holds no numbers."""
    values = np.array([np.nan if v is None else v for v in arm["map"]], dtype=float)
    values = values.reshape(int(arm["rows"]), int(arm["cols"]))
    total = float(values.sum())
    return values * (values.size / total) if np.isfinite(total) and total > 0 else None


def _overlay(
    arm: Json, relative: FloatArray | None, scale: tuple[float, float], sentence: str, frame: Frame
) -> Overlay:
    perturbation = str(arm["perturbation"])
    return Overlay(
        perturbation=wording.term(wording.PERTURBATIONS, perturbation).label,
        words=changed_words(sentence, str(arm["text"])),
        picture="" if relative is None else heat.heat_uri(relative, *scale),
        area=frame.covered,
        peak="" if relative is None else f"{numbers.number(float(relative.max()), 2)} ×",
        facts=_facts(arm),
    )


def _facts(arm: Json) -> tuple[str, ...]:
    facts = []
    if arm.get("auroc") is not None:
        facts.append(f"AUROC {numbers.number(float(arm['auroc']))}")
    if arm.get("opt_out_mass"):
        facts.append(f"opt-out mass {numbers.number(float(arm['opt_out_mass']), 4)}")
    if arm.get("preference") is not None:
        own = float(arm["preference"])
        named = 1.0 - own if arm["perturbation"] == "swap_left_right" else own
        facts.append(f"named side {100 * named:.0f}\N{NO-BREAK SPACE}%")
    return tuple(facts)


def changed_words(before: str, after: str) -> tuple[Word, ...]:
    """The words of `after`; those that are not `before`'s are marked."""
    old, new = before.split(), after.split()
    matcher = difflib.SequenceMatcher(a=old, b=new, autojunk=False)
    kept = {block.b + i for block in matcher.get_matching_blocks() for i in range(block.size)}
    return tuple(Word(word, place not in kept) for place, word in enumerate(new))
