"""Names of findings as reports use them: which take an article, which stand in the plural."""

from typing import Literal

Number = Literal["count", "mass", "plural"]
"""count: one of several, takes an article; mass: takes none; plural: takes none and "are"."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_COUNT = _words(
    """abnormality abscess aneurysm area bleb bulla catheter cavity clip collection cyst deformity density device
    dislocation drain effusion finding focus fracture granuloma hernia hydropneumothorax infiltrate lesion line
    malformation mass metastasis nodule opacity pacemaker pattern plaque pneumothorax process shadow stent tube tumor
    tumour wire"""
)
_MASS = _words(
    """adenopathy air atelectasis blunting bronchiectasis calcification cardiomegaly collapse congestion
    consolidation copd disease edema elevation emphysema engorgement enlargement evidence fibrosis flattening fluid
    fullness gas haziness hyperexpansion hyperinflation ild infection infiltration loss lymphadenopathy malignancy
    oedema opacification osteopenia pneumomediastinum pneumonia pneumoperitoneum prominence redistribution
    reticulation scarring scoliosis shift thickening tuberculosis widening"""
)
_PLURALS = {"bulla": "bullae", "focus": "foci", "metastasis": "metastases"}
_ALWAYS_PLURAL = ("leads", "markings", "signs")


def _plural(noun: str) -> str:
    if noun in _PLURALS:
        return _PLURALS[noun]
    if noun.endswith("thorax"):
        return f"{noun[:-1]}ces"
    if noun.endswith("y"):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith("s") else f"{noun}s"


NUMBERS: dict[str, Number] = {
    **dict.fromkeys((*map(_plural, _COUNT), "calcifications", "consolidations", *_ALWAYS_PLURAL), "plural"),
    **dict.fromkeys(_COUNT, "count"),
    **dict.fromkeys(_MASS, "mass"),
}
"""Every noun that is known."""

_AFTER_THE_NOUN = frozenset(
    _words(
        """above across adjacent along around at behind below beneath between by from in inside involving near of on
        over overlying projecting throughout to under within bilaterally today seen noted present identified visualized
        visualised evident demonstrated detected appreciated apparent"""
    )
)
_NOT_IN_A_NAME = frozenset(
    _words(
        """a an the this that these those no any some each every all both also several many multiple few numerous one
        two three only now there its again is are was were has have had be been shows demonstrates reveals appears
        appear seems does do did can will would should please note notes noting see"""
    )
)
"""Determiners, counts, adverbs and verbs: with one of these before the noun, words are no plain name of a finding."""
SAYS_NOTHING_ALONE = frozenset(_words("evidence signs area areas focus foci pattern patterns"))


def name_of_finding(words: str) -> tuple[str, Number] | None:
    """The noun and its number, of words that begin with the name of a finding ("small effusion on the left"); None
    where they do not, or the noun is not known."""
    tokens = words.lower().split()
    stop = next((i for i, token in enumerate(tokens) if token in _AFTER_THE_NOUN), len(tokens))
    name, rest = tokens[:stop], tokens[stop:]
    if not name or _NOT_IN_A_NAME & set(name) or name[-1] not in NUMBERS or any(token.isdigit() for token in name):
        return None
    if name[-1] in SAYS_NOTHING_ALONE and not (rest[:1] == ["of"] and name_of_finding(" ".join(rest[1:]))):
        return None
    return name[-1], NUMBERS[name[-1]]


def article(words: str) -> str:
    """ "a" or "an", as the first of the words is spoken: "an opacity", "a unilateral …", "an RUL …", "an 8 mm …"."""
    first = words.split()[0]
    if first.isupper() and len(first) > 1:  # spoken letter by letter
        vowel = first[0] in "AEFHILMNORSX"
    elif first[0].isdigit():
        vowel = first[0] == "8" or first in ("11", "18")
    else:
        small = first.lower()
        vowel = small[0] in "aeiou" and not small.startswith(("uni", "eu", "us", "one"))
    return "an" if vowel else "a"
