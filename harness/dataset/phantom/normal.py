"""Sentences that call a part of the chest normal."""

from dataclasses import dataclass

import numpy as np

from harness.dataset.phantom.anatomy import SIDES
from harness.dataset.phantom.templates import Draft, choose, finish
from harness.dataset.phantom.vocabulary import TAILS


@dataclass(frozen=True, slots=True)
class Remark:
    """A part of the chest, how it is named and what is said of it when it is normal."""

    regions: tuple[str, ...]
    location: str
    subjects: tuple[str, ...]
    plural: bool
    predicates: tuple[str, ...]


_CLEAR = (
    "clear",
    "well aerated",
    "normally aerated",
    "unremarkable",
    "normal in appearance",
    "clear without abnormality",
)
_PLAIN = ("normal", "unremarkable", "within normal limits", "normal in appearance", "not remarkable in appearance")


def _sided() -> list[Remark]:
    remarks = []
    for side in SIDES:
        remarks += [
            Remark(
                (f"{side} lung",),
                "side",
                (f"the {side} lung", f"the {side} hemithorax", f"the {side} lung field"),
                False,
                _CLEAR,
            ),
            Remark(
                (f"{side} upper lung zone",),
                "zone",
                (f"the {side} upper lung", f"the {side} upper lobe"),
                False,
                _CLEAR,
            ),
            Remark((f"{side} mid lung zone",), "zone", (f"the {side} mid lung", f"the {side} mid zone"), False, _CLEAR),
            Remark(
                (f"{side} lower lung zone",), "zone", (f"the {side} lung base", f"the {side} lower lobe"), False, _CLEAR
            ),
            Remark((f"{side} apical zone",), "zone", (f"the {side} lung apex", f"the {side} apex"), False, _CLEAR),
            Remark(
                (f"{side} costophrenic angle",),
                "zone",
                (f"the {side} costophrenic angle",),
                False,
                ("sharp", "clear", "well defined"),
            ),
            Remark(
                (f"{side} hilar structures",), "zone", (f"the {side} hilum", f"the {side} hilar contour"), False, _PLAIN
            ),
            Remark(
                *(
                    (f"{side} hemidiaphragm",),
                    "zone",
                    (f"the {side} hemidiaphragm", f"the {side} diaphragmatic contour"),
                ),
                *(False, ("normal in position", "well defined", "smooth and well seen")),
            ),
            Remark(
                (f"{side} clavicle",),
                "zone",
                (f"the {side} clavicle",),
                False,
                ("intact", "unremarkable", "without acute fracture"),
            ),
        ]
    return remarks


REMARKS: tuple[Remark, ...] = (
    *_sided(),
    Remark(("left lung", "right lung"), "none", ("the lungs", "both lungs", "the lung fields"), True, _CLEAR),
    Remark(
        ("left hilar structures", "right hilar structures"), "both", ("the hila", "the hilar contours"), True, _PLAIN
    ),
    Remark(
        *(
            ("left costophrenic angle", "right costophrenic angle"),
            "both",
            ("the costophrenic angles", "both costophrenic angles"),
        ),
        *(True, ("sharp", "clear", "well defined")),
    ),
    Remark(
        ("cardiac silhouette",),
        "organ",
        ("the heart", "the cardiac silhouette", "the heart size", "cardiac size"),
        False,
        _PLAIN,
    ),
    Remark(("mediastinum",), "organ", ("the mediastinum", "the mediastinal contour"), False, _PLAIN),
    Remark(("aortic arch",), "organ", ("the aortic arch", "the aortic knob", "the thoracic aorta"), False, _PLAIN),
    Remark(
        ("trachea",),
        "organ",
        ("the trachea", "the tracheal air column"),
        False,
        ("midline", "central", "patent and midline"),
    ),
    Remark(
        ("spine",),
        "organ",
        ("the thoracic spine", "the spine"),
        False,
        ("intact", "unremarkable", "without acute fracture"),
    ),
    Remark(
        ("abdomen",),
        "organ",
        ("the upper abdomen", "the visualized abdomen"),
        False,
        ("unremarkable", "without free air"),
    ),
)
_PATTERNS = (
    "{subject} {is} {what}",
    "{subject} {is} {what}",
    "{subject} {remains} {what}",
    "again {subject} {is} {what}",
)
_HELD_OUT = ("{subject} {appears} {what}", "{subject} once more {appears} {what}")
_TRIES = 16


def remark(about: Remark, held_out: bool, rng: np.random.Generator) -> Draft:
    """Say that a part of the chest is normal."""
    patterns = (*_PATTERNS, *(_HELD_OUT if held_out else ()))
    return choose([_draft(about, patterns, rng) for _ in range(_TRIES)], rng)


def _draft(about: Remark, patterns: tuple[str, ...], rng: np.random.Generator) -> Draft:
    which = int(rng.integers(len(patterns)))
    tail = TAILS[int(rng.integers(len(TAILS)))] if rng.random() < 0.5 else ""
    verbs = (
        {"is": "are", "remains": "remain", "appears": "appear"}
        if about.plural
        else {"is": "is", "remains": "remains", "appears": "appears"}
    )
    subject = about.subjects[int(rng.integers(len(about.subjects)))]
    what = about.predicates[int(rng.integers(len(about.predicates)))]
    text = f"{patterns[which]} {tail}".format(subject=subject, what=what, **verbs)
    return Draft(finish(text), None, which >= len(_PATTERNS))
