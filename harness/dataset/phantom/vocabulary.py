"""The words of the reports: names of findings, of places, and what may stand beside them. Plain clinical English."""

import zlib
from dataclasses import dataclass
from typing import Literal

Number = Literal["count", "mass", "plural"]


@dataclass(frozen=True, slots=True)
class Noun:
    """A name of a finding; `count` nouns take an article."""

    text: str
    number: Number = "mass"


@dataclass(frozen=True, slots=True)
class Words:
    """How a kind of finding is spoken of. `small` and `large` only where they are true."""

    nouns: tuple[Noun, ...]
    adjectives: tuple[str, ...]
    small: tuple[str, ...] = ()
    large: tuple[str, ...] = ()


def _nouns(number: Number, *texts: str) -> tuple[Noun, ...]:
    return tuple(Noun(text, number) for text in texts)


WORDS: dict[str, Words] = {
    "nodule": Words(
        _nouns("count", "nodule", "pulmonary nodule", "lung nodule", "nodular opacity", "nodular density"),
        ("small", "round", "rounded", "discrete", "well-defined", "solitary", "subtle"),
    ),
    "mass": Words(
        _nouns("count", "mass", "lung mass", "pulmonary mass", "mass lesion", "masslike lesion"),
        ("large", "lobulated", "rounded", "dominant", "ill-defined", "known"),
    ),
    "consolidation": Words(
        (
            *_nouns("mass", "consolidation", "airspace consolidation", "airspace disease", "pneumonia"),
            Noun("infiltrate", "count"),
        ),
        ("patchy", "focal", "dense", "confluent", "lobar", "acute"),
    ),
    "opacity": Words(
        (
            *_nouns("count", "opacity", "hazy opacity", "airspace opacity", "ground glass opacity"),
            Noun("opacification"),
        ),
        ("patchy", "ill-defined", "faint", "vague", "subtle", "focal"),
    ),
    "atelectasis": Words(
        (
            *_nouns(
                "mass",
                "atelectasis",
                "linear atelectasis",
                "subsegmental atelectasis",
                "plate-like atelectasis",
                "volume loss",
            ),
        ),
        ("mild", "minimal", "minor", "streaky", "bandlike"),
    ),
    "reticular": Words(
        (
            *_nouns(
                "plural",
                "reticular opacities",
                "interstitial opacities",
                "increased interstitial markings",
                "fibrotic changes",
            ),
            *_nouns("mass", "interstitial lung disease", "reticulation"),
        ),
        ("chronic", "diffuse", "coarse", "extensive", "fine"),
    ),
    "edema": Words(
        (
            *_nouns(
                "mass",
                "pulmonary edema",
                "interstitial edema",
                "pulmonary vascular congestion",
                "alveolar edema",
                "edema",
            ),
        ),
        ("mild", "moderate", "diffuse", "perihilar", "acute"),
    ),
    "effusion": Words(
        (*_nouns("count", "pleural effusion", "effusion"), *_nouns("mass", "pleural fluid", "layering pleural fluid")),
        ("free", "residual", "simple"),
        small=("small", "trace", "tiny"),
        large=("moderate", "large", "sizable"),
    ),
    "pneumothorax": Words(
        (
            *_nouns("count", "pneumothorax", "pneumothorax", "visible pneumothorax"),
            Noun("pleural air"),
            Noun("pleural air collection", "count"),
        ),
        ("acute", "persistent", "definite"),
        small=("small", "tiny", "apical"),
        large=("large", "moderate", "sizable"),
    ),
    "hilum": Words(
        (
            *_nouns("mass", "hilar enlargement", "hilar prominence", "hilar fullness", "hilar lymphadenopathy"),
            Noun("hilar mass", "count"),
        ),
        ("mild", "marked", "convex", "lobulated"),
    ),
    "heart": Words(
        (
            *_nouns(
                "mass",
                "cardiomegaly",
                "cardiac enlargement",
                "enlargement of the cardiac silhouette",
                "enlargement of the heart",
            ),
        ),
        ("mild", "moderate", "marked", "stable"),
    ),
    "diaphragm": Words(
        (*_nouns("mass", "hemidiaphragm elevation", "hemidiaphragmatic elevation", "diaphragmatic elevation"),),
        ("mild", "marked", "chronic", "stable"),
    ),
}

SIDE_ADJECTIVES = ("{side}", "{side}", "{side}-sided")
SIDE_PLACES = ("on the {side}", "in the {side} lung", "in the {side} hemithorax", "within the {side} lung")
BARE_SIDE_PLACES = ("on the {side}", "on the {side} side")
BOTH_ADJECTIVES = ("bilateral",)
BOTH_PLACES = ("bilaterally", "on both sides", "in both lungs", "of both lungs")
BARE_BOTH_PLACES = ("bilaterally", "on both sides")

ZONE_ADJECTIVES: dict[str, tuple[str, ...]] = {
    "upper lung zone": ("{side} upper lobe", "{side} upper lung", "{side} upper zone", "{abbreviation}"),
    "mid lung zone": ("{side} mid lung", "{side} midlung", "{side} mid zone", "{side} perihilar"),
    "lower lung zone": ("{side} lower lobe", "{side} basilar", "{side} basal", "{side} lower lung", "{abbreviation}"),
    "apical zone": ("{side} apical",),
    "costophrenic angle": ("{side} basilar", "{side} basal"),
}
ZONE_PLACES: dict[str, tuple[str, ...]] = {
    "upper lung zone": (
        *(
            "in the {side} upper lobe",
            "in the {side} upper lung",
            "in the {side} upper zone",
            "within the {side} upper lung zone",
        ),
        *("in the upper {side} lung", "in the {side} upper lung field"),
    ),
    "mid lung zone": (
        *(
            "in the {side} mid lung",
            "in the {side} mid zone",
            "within the {side} mid lung zone",
            "in the {side} midlung",
        ),
        *("in the mid {side} lung", "in the {side} mid lung field"),
    ),
    "lower lung zone": (
        *("in the {side} lower lobe", "at the {side} lung base", "at the {side} base", "in the {side} lower lung"),
        *("within the {side} lower lung zone", "in the {side} lower zone", "in the lower {side} lung"),
    ),
    "apical zone": ("at the {side} apex", "at the {side} lung apex", "in the {side} apical region"),
    "costophrenic angle": (
        "at the {side} costophrenic angle",
        "in the {side} costophrenic sulcus",
        "at the {side} base",
    ),
}
_ABBREVIATIONS = {
    ("right", "upper lung zone"): "RUL",
    ("left", "upper lung zone"): "LUL",
    ("right", "lower lung zone"): "RLL",
    ("left", "lower lung zone"): "LLL",
}

DENIED_ADJECTIVES = ("focal", "definite", "acute", "new", "convincing", "significant", "large", "discrete")
TAILS = (
    *(
        "on this study",
        "on the current examination",
        "at this time",
        "on this frontal view",
        "on the current radiograph",
    ),
    *(
        "on today's examination",
        "in comparison with the prior study",
        "since the prior examination",
        "on this single view",
    ),
)


def spell(pattern: str, side: str, zone: str = "") -> str:
    """Fill the side (and the lobe's abbreviation) into a place."""
    return pattern.format(side=side, abbreviation=_ABBREVIATIONS.get((side, zone), f"{side} lung"))


def pair_held_out(noun: Noun, zone: str) -> bool:
    """Whether this name and this zone never meet outside the test split (one pair in six, the same on both sides)."""
    return zlib.crc32(f"{noun.text}|{zone}".encode()) % 6 == 0
