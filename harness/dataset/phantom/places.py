"""How reports say where something is."""

from collections.abc import Sequence

from harness.dataset.phantom.findings import Kind
from harness.dataset.phantom.templates import Wording
from harness.dataset.phantom.vocabulary import WORDS, Noun

_SIDE = (
    ("{side}", "{side}", "{side}-sided"),
    ("on the {side}", "in the {side} lung", "in the {side} hemithorax", "within the {side} lung"),
)
_SIDE_ALONE = (_SIDE[0], ("on the {side}", "on the {side} side"))
_BOTH = (("bilateral",), ("bilaterally", "on both sides", "in both lungs", "throughout both lungs"))
_BOTH_ALONE = (("bilateral",), ("bilaterally", "on both sides"))

# before the noun, after the noun
_ZONES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "upper lung zone": (
        ("{side} upper lobe", "{side} upper lung", "{side} upper zone", "{S}UL"),
        (
            "in the {side} upper lobe",
            "in the {side} upper lung",
            "in the {side} upper zone",
            "within the {side} upper lung zone",
            "in the upper {side} lung",
            "in the {side} upper lung field",
        ),
    ),
    "mid lung zone": (
        ("{side} mid lung", "{side} midlung", "{side} mid zone", "{side} mid lung zone"),
        (
            "in the {side} mid lung",
            "in the {side} mid zone",
            "within the {side} mid lung zone",
            "in the {side} midlung",
            "in the mid {side} lung",
            "in the {side} mid lung field",
        ),
    ),
    "lower lung zone": (
        ("{side} lower lobe", "{side} basilar", "{side} basal", "{side} lower lung", "{S}LL"),
        (
            "in the {side} lower lobe",
            "at the {side} lung base",
            "at the {side} base",
            "in the {side} lower lung",
            "within the {side} lower lung zone",
            "in the {side} lower zone",
            "in the lower {side} lung",
        ),
    ),
    "apical zone": (
        ("{side} apical",),
        ("at the {side} apex", "at the {side} lung apex", "in the {side} apical region"),
    ),
    "costophrenic angle": (
        ("{side} basilar", "{side} basal"),
        ("at the {side} costophrenic angle", "in the {side} costophrenic sulcus", "at the {side} base"),
    ),
}


def wordings(kind: Kind, location: str, side: str = "", zone: str = "") -> list[Wording]:
    """Every way to name a kind of finding at a place: the place before the noun, or after it."""
    return place_nouns(
        WORDS[kind.key].nouns, location, side, zone, outside=kind.spread in ("base", "hilum", "diaphragm")
    )


def place_nouns(
    nouns: Sequence[Noun], location: str, side: str = "", zone: str = "", *, outside: bool = False
) -> list[Wording]:
    """Nouns at a place; `outside`: not within a lung, so that no lung is named."""
    before: tuple[str, ...]
    after: tuple[str, ...]
    match location:
        case "none" | "organ":
            return [Wording(noun) for noun in nouns]
        case "side":
            before, after = _SIDE_ALONE if outside else _SIDE
        case "both":
            before, after = _BOTH_ALONE if outside else _BOTH
            nouns = [Noun(_plural(noun.text), "plural") if noun.number == "count" else noun for noun in nouns]
        case _:
            before, after = _ZONES[zone]
    named = [
        Wording(noun, prefix=_spell(place, side)) for noun in nouns for place in before if _fits(place, noun, nouns)
    ]
    return named + [Wording(noun, place=_spell(place, side)) for noun in nouns for place in after]


def _fits(prefix: str, noun: Noun, nouns: Sequence[Noun]) -> bool:
    """Not "upper lung lung mass", nor "upper lung" + "mass", which reads like the name "lung mass"."""
    return not prefix.endswith(" lung") or not (
        noun.text.startswith("lung ") or any(other.text == f"lung {noun.text}" for other in nouns)
    )


def _spell(place: str, side: str) -> str:
    return place.format(side=side, S=side[:1].upper())


def _plural(text: str) -> str:
    if text.endswith("thorax"):
        return text.removesuffix("x") + "ces"
    return text[:-1] + "ies" if text.endswith("y") else text + "es" if text.endswith("s") else text + "s"
