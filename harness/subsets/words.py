"""What the words of a sentence name: sides, places, the absence of something. English, as in radiology reports."""

import re

from harness.perturbation.swap import sides_named

PART = re.compile(
    r"\b(?:upper|mid|middle|midlung|lower|ap(?:ex|ices|ical)|bas(?:es?|al|ilar)|bibas(?:al|ilar)|lobes?|lingulas?|lingular"
    r"|(?:peri)?hil(?:um|a|ar)|retrocardiac|paratracheal|costophrenic|bilateral(?:ly)?|both)\b",
    re.IGNORECASE,
)
"""Words that place a finding within the lungs, or in both."""
_ORGAN = re.compile(
    r"\b(?:lungs|heart|cardi\w+|mediastin\w+|aort\w+|trachea\w*|carina\w*|spin(?:e|al)|vertebra\w*|ribs?|clavic\w+"
    r"|shoulders?|scapula\w*|stern\w+|(?:hemi)?diaphragm\w*|hemithora\w+|abdom\w+|stomach|o?esophag\w+)\b",
    re.IGNORECASE,
)
_BOTH_SIDES = re.compile(r"\b(?:bilateral(?:ly)?|both|bibas(?:al|ilar))\b", re.IGNORECASE)
_DENIAL = re.compile(
    r"\b(?:no(?! (?:(?:interval|significant|appreciable|relevant) )*(?:change|longer)\b)|without|neither"
    r"|negative for|absence of|free of|not (?:seen|present|identified|visuali[sz]ed|evident))\b",
    re.IGNORECASE,
)


def side_of_words(text: str) -> str:
    """`left` or `right` if the words name that side alone, `both` if they name both or say so ("bilateral"), else
    `none`."""
    named = sides_named(text)
    if len(named) == 2 or _BOTH_SIDES.search(text):
        return "both"
    return next(iter(named), "none")


def names_a_part(text: str) -> bool:
    """Whether the words name a side, or a part of the lungs."""
    return bool(sides_named(text)) or PART.search(text) is not None


def names_a_place(text: str) -> bool:
    """Whether the words name a side, a part of the lungs, or another part of the chest."""
    return names_a_part(text) or _ORGAN.search(text) is not None


def denies(text: str) -> bool:
    """Whether the words state that something is not there."""
    return _DENIAL.search(text) is not None
