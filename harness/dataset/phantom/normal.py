"""Sentences that call a part of the chest normal."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from harness.dataset.phantom.anatomy import SIDES
from harness.dataset.phantom.paraphrase import other_wording
from harness.dataset.phantom.templates import Draft, choose, finish
from harness.dataset.phantom.vocabulary import TAILS


@dataclass(frozen=True, slots=True)
class Remark:
    """A part of the chest, how it is named and what is said of it when it is normal."""

    regions: tuple[str, ...]
    location: str
    subjects: tuple[str, ...]
    predicates: tuple[str, ...]
    plural: bool = False


_CLEAR = (
    "clear",
    "well aerated",
    "normally aerated",
    "unremarkable",
    "normal in appearance",
    "clear and well expanded",
)
_PLAIN = ("normal", "unremarkable", "within normal limits", "normal in appearance")
_SHARP = ("sharp", "clear", "well defined", "sharply defined")
_INTACT = ("intact", "unremarkable", "without acute fracture", "normal in appearance")

_SIDED: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("upper lung zone", ("the {side} upper lung", "the {side} upper lobe"), _CLEAR),
    ("mid lung zone", ("the {side} mid lung", "the {side} mid zone"), _CLEAR),
    ("lower lung zone", ("the {side} lung base", "the {side} lower lobe"), _CLEAR),
    ("apical zone", ("the {side} lung apex", "the {side} apex"), _CLEAR),
    ("costophrenic angle", ("the {side} costophrenic angle", "the {side} costophrenic sulcus"), _SHARP),
    ("hilar structures", ("the {side} hilum", "the {side} hilar contour"), _PLAIN),
    (
        "hemidiaphragm",
        ("the {side} hemidiaphragm", "the {side} diaphragmatic contour"),
        (*_SHARP, "normal in position"),
    ),
    ("clavicle", ("the {side} clavicle",), _INTACT),
)
_MIDLINE: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("cardiac silhouette", ("the heart", "the cardiac silhouette", "the heart size", "cardiac size"), _PLAIN),
    ("mediastinum", ("the mediastinum", "the mediastinal contour"), _PLAIN),
    ("upper mediastinum", ("the upper mediastinum", "the superior mediastinum"), _PLAIN),
    ("aortic arch", ("the aortic arch", "the aortic knob", "the thoracic aorta"), _PLAIN),
    ("trachea", ("the trachea", "the tracheal air column"), ("midline", "central", "patent and midline")),
    ("spine", ("the thoracic spine", "the spine"), _INTACT),
    ("abdomen", ("the upper abdomen", "the abdomen"), ("unremarkable", "without free air")),
)


def _remarks() -> Iterator[Remark]:
    for side in SIDES:
        lung = tuple(subject.format(side=side) for subject in ("the {side} lung", "the {side} hemithorax"))
        yield Remark((f"{side} lung",), "side", lung, _CLEAR)
        for part, subjects, predicates in _SIDED:
            named = tuple(subject.format(side=side) for subject in subjects)
            yield Remark((f"{side} {part}",), "zone", named, predicates)
    for part, subjects, predicates in _MIDLINE:
        yield Remark((part,), "organ", subjects, predicates)
    yield Remark(_both("lung"), "none", ("the lungs", "both lungs", "the lung fields"), _CLEAR, True)
    yield Remark(_both("hilar structures"), "none", ("the hila", "the hilar contours"), _PLAIN, True)
    yield Remark(
        _both("costophrenic angle"), "none", ("the costophrenic angles", "both costophrenic angles"), _SHARP, True
    )


def _both(part: str) -> tuple[str, ...]:
    return tuple(f"{side} {part}" for side in SIDES)


REMARKS: tuple[Remark, ...] = tuple(_remarks())
_PATTERNS = (
    "{subject} {is} {what}",
    "{subject} {is} {what}",
    "{subject} {remains} {what}",
    "again {subject} {is} {what}",
)
_HELD_OUT = ("{subject} {appears} {what}", "{subject} once more {appears} {what}")
_VERBS = {"is": "is", "remains": "remains", "appears": "appears"}
_PLURAL_VERBS = {"is": "are", "remains": "remain", "appears": "appear"}
_TRIES = 16


def remark(about: Remark, held_out: bool, rng: np.random.Generator) -> Draft:
    """Say that a part of the chest is normal; `held_out` admits the patterns kept for the test split."""
    patterns = (*_PATTERNS, *(_HELD_OUT if held_out else ()))
    return _rewordable(choose([_draft(about, patterns, rng) for _ in range(_TRIES)], rng), about)


def _draft(about: Remark, patterns: tuple[str, ...], rng: np.random.Generator) -> Draft:
    which = int(rng.integers(len(patterns)))
    subject = about.subjects[int(rng.integers(len(about.subjects)))]
    what = about.predicates[int(rng.integers(len(about.predicates)))]
    tail = TAILS[int(rng.integers(len(TAILS)))] if rng.random() < 0.5 else ""
    text = _say(patterns[which], subject, what, tail, about.plural)
    return Draft(text, "", which >= len(_PATTERNS), patterns[which], tail=tail)


def _say(pattern: str, subject: str, what: str, tail: str, plural: bool) -> str:
    verbs = _PLURAL_VERBS if plural else _VERBS
    return finish(f"{pattern} {tail}".format(subject=subject, what=what, **verbs))


def _rewordable(draft: Draft, about: Remark) -> Draft:
    def fill(pattern: str, drawn: int) -> str:
        which, subject = divmod(drawn, len(about.subjects))
        what = about.predicates[which % len(about.predicates)]
        return _say(pattern, about.subjects[subject], what, draft.tail, about.plural)

    usable = _HELD_OUT if draft.held_out else _PATTERNS
    return replace(draft, reword=partial(other_wording, draft.text, draft.pattern, usable, fill))
