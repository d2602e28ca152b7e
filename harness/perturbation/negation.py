"""What is said to be there is said not to be there, and the other way round, in as few words as can be.

Only sentences of one plain statement are rewritten, in the forms of `forms`; anything else is left alone, with the
reason why.
"""

import re
from dataclasses import dataclass

from harness.case import Case, ImageRecord, Sentence
from harness.perturbation.base import OneByOne, not_applicable
from harness.perturbation.forms import rewrite

SEVERAL = "says more than one thing"
UNSURE = "is not sure of what it says"
CHANGE = "speaks of a change"
NO_FORM = "is of no form with a plain denial"

_OBSTACLES = (
    (
        SEVERAL,
        r"[,;:/()?!]|\.\s|\b(?:and|or|nor|but|with|without|which|while|although|though|however|except"
        r"|that|who|whose|where|due|secondary|because|caus(?:ed|ing)|associated|related|reflecting|obscur\w+|no|not)\b",
    ),
    (
        UNSURE,
        r"\b(?:may|might|could|possibl[ey]|probabl[ey]|likely|unlikely|suspicious|suspected|question(?:able)?|suggest\w*"
        r"|concern\w*|cannot|if|versus|vs|consistent|compatible|representing|represents?|presumed|equivocal)\b",
    ),
    (
        CHANGE,
        r"\b(?:new(?:ly)?|old|again|still|remain\w*|unchanged|stable|persist\w*|resol\w+|residual|recurrent|interval"
        r"|increas\w+|decreas\w+|improv\w+|worsen\w*|progress\w+|chang\w+|longer|prior|previous\w*|known|redemonstrat\w+"
        r"|develop\w+|enlarging|comparison|compared|continued|recent\w*|evolving|former\w*)\b",
    ),
)
"""What keeps a sentence from being one plain statement, looked for in what it states."""
_OBSTACLE_PATTERNS = tuple((reason, re.compile(pattern, re.IGNORECASE)) for reason, pattern in _OBSTACLES)

_FIRST_DENIAL = re.compile(r"\b(?:no|without)\b ?", re.IGNORECASE)


def negate(text: str) -> str | None:
    """The sentence with its statement denied, or its denial dropped; None where `obstacle` says why not.

    Negating three times is negating once. Twice gives the sentence back if its article is the usual one of its noun:
    "There is a consolidation." comes back without.
    """
    return _examine(text)[0]


def obstacle(text: str) -> str:
    """Why the sentence cannot be negated; empty if it can."""
    return _examine(text)[1]


def _examine(text: str) -> tuple[str | None, str]:
    """The other sentence, or why there is none."""
    body = text.strip().rstrip(".").strip()
    found = rewrite(body)
    statement = found.statement if found else _FIRST_DENIAL.sub("", body, count=1)
    for reason, pattern in _OBSTACLE_PATTERNS:
        if pattern.search(statement):
            return None, reason
    if found is None:
        return None, NO_FORM
    return _like(found.text, body) + text.strip()[len(body) :], ""


def _like(words: str, model: str) -> str:
    """With a capital first letter if `model` has one."""
    return words[0].upper() + words[1:] if model[:1].isupper() else words


@dataclass(frozen=True, slots=True)
class Negation(OneByOne):
    """`negation`: what is there is said not to be there, and the other way round; the boxes stay."""

    name: str = "negation"

    def _case(self, record: ImageRecord, sentence: Sentence) -> Case:
        other, reason = _examine(sentence.text)
        if other is None:
            return not_applicable(record, sentence, self.name, reason)
        return Case(image=record, sentence=sentence, perturbation=self.name, text=other, boxes=sentence.boxes)
