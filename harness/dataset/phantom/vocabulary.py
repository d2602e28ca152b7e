"""The words of the reports: names of findings, of devices, and what may stand beside them. Plain clinical English."""

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


def _count(*texts: str) -> tuple[Noun, ...]:
    return tuple(Noun(text, "count") for text in texts)


def _mass(*texts: str) -> tuple[Noun, ...]:
    return tuple(Noun(text) for text in texts)


def _plural(*texts: str) -> tuple[Noun, ...]:
    return tuple(Noun(text, "plural") for text in texts)


WORDS: dict[str, Words] = {
    "nodule": Words(
        _count("nodule", "pulmonary nodule", "lung nodule", "nodular opacity", "nodular density"),
        ("small", "round", "rounded", "discrete", "well-defined", "solitary", "subtle"),
    ),
    "mass": Words(
        _count("mass", "lung mass", "pulmonary mass", "mass lesion", "masslike lesion"),
        ("large", "lobulated", "rounded", "dominant", "ill-defined", "known"),
    ),
    "consolidation": Words(
        _mass("consolidation", "airspace consolidation", "airspace disease", "pneumonia") + _count("infiltrate"),
        ("patchy", "focal", "dense", "confluent", "lobar", "acute"),
    ),
    "opacity": Words(
        _count("opacity", "hazy opacity", "airspace opacity", "ground glass opacity") + _mass("opacification"),
        ("patchy", "ill-defined", "faint", "vague", "subtle", "focal"),
    ),
    "atelectasis": Words(
        _mass("atelectasis", "linear atelectasis", "subsegmental atelectasis", "plate-like atelectasis", "volume loss"),
        ("mild", "minimal", "minor", "streaky", "bandlike"),
    ),
    "reticular": Words(
        _plural("reticular opacities", "interstitial opacities", "increased interstitial markings", "fibrotic changes")
        + _mass("interstitial lung disease", "reticulation"),
        ("chronic", "diffuse", "coarse", "extensive", "fine"),
    ),
    "edema": Words(
        _mass("pulmonary edema", "interstitial edema", "pulmonary vascular congestion", "alveolar edema", "edema"),
        ("mild", "moderate", "diffuse", "perihilar", "acute"),
    ),
    "effusion": Words(
        _count("pleural effusion", "effusion") + _mass("pleural fluid", "layering pleural fluid"),
        ("free", "residual", "simple"),
        small=("small", "trace", "tiny"),
        large=("moderate", "large", "sizable"),
    ),
    "pneumothorax": Words(
        _count("pneumothorax", "pneumothorax", "visible pneumothorax", "pleural air collection") + _mass("pleural air"),
        ("acute", "persistent", "definite"),
        small=("small", "tiny", "apical"),
        large=("large", "moderate", "sizable"),
    ),
    "hilum": Words(
        _mass("hilar enlargement", "hilar prominence", "hilar fullness", "hilar lymphadenopathy")
        + _count("hilar mass"),
        ("mild", "marked", "convex", "lobulated"),
    ),
    "heart": Words(
        _mass("cardiomegaly", "cardiac enlargement", "enlargement of the cardiac silhouette")
        + _mass("enlargement of the heart"),
        ("mild", "moderate", "marked", "stable"),
    ),
    "diaphragm": Words(
        _mass("hemidiaphragm elevation", "hemidiaphragmatic elevation", "diaphragmatic elevation"),
        ("mild", "marked", "chronic", "stable"),
    ),
}

DEVICE_WORDS: dict[str, tuple[Noun, ...]] = {
    "endotracheal tube": _count("endotracheal tube", "tracheal tube"),
    "central venous catheter": _count("central venous catheter", "central line", "venous catheter"),
    "nasogastric tube": _count("nasogastric tube", "enteric tube", "feeding tube"),
    "pacemaker": _count("pacemaker", "cardiac pacemaker") + _plural("pacemaker leads"),
    "chest tube": _count("chest tube", "pleural drain", "chest drain"),
}

DENIED_ADJECTIVES = ("focal", "definite", "acute", "new", "convincing", "significant", "large", "discrete")
TAILS = (
    "on this study",
    "on the current examination",
    "at this time",
    "on this frontal view",
    "on the current radiograph",
    "on today's examination",
    "in comparison with the prior study",
    "since the prior examination",
    "on this single view",
)


_ZONES = ("upper lung zone", "mid lung zone", "lower lung zone", "costophrenic angle")
HELD_OUT_PAIRS = frozenset(
    (words.nouns[(2 * index + 1) % len(words.nouns)].text, zone)
    for words in WORDS.values()
    for index, zone in enumerate(_ZONES)
)
"""Names and zones that meet in the test split only: one name of each kind for every zone, the same on both sides."""
