"""The forms in which reports state or deny a finding, in pairs that differ in the denial alone.

    There is no effusion.                    There is an effusion.
    No effusion is seen on the left.         An effusion is seen on the left.
    The radiograph shows no effusion.        The radiograph shows an effusion.
    No left effusion.                        Left effusion.
    Without evidence of pneumonia.           With evidence of pneumonia.
    Negative for pneumonia.                  Positive for pneumonia.
    Absence of pneumonia.                    Presence of pneumonia.

The noun must be known (`harness/nouns.py`), since it decides on article and verb.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from harness.nouns import Number, article, name_of_finding

_SEEN = "seen|noted|present|identified|visuali[sz]ed|evident|demonstrated|detected|appreciated|apparent"
_WHERE = r"(?:(?:in|on|at|within) [\w\s-]+ )?"
_SHOWS = (
    r"(?:the |this )?[\w\s-]*(?:radiograph|film|x-ray|image|study|examination|exam|view)"
    r" (?:shows|demonstrates|reveals)"
)
_VERB = re.compile(r"\b(?:is|are|was|were|has|have|had)\b", re.IGNORECASE)
_OPPOSITES = {"without": "with", "negative for": "positive for", "absence of": "presence of"}


class Rewrite(NamedTuple):
    """A sentence with its denial dropped or added."""

    text: str
    statement: str
    """The words that both have in common: without denial and article."""


def rewrite(body: str) -> Rewrite | None:
    """The other one of the sentence's pair, without a full stop; None if it is of no form."""
    return next((found for found in _candidates(body) if found is not None), None)


def _candidates(body: str) -> Iterator[Rewrite | None]:
    for form in _FORMS:
        yield form(body)
    yield _opposite(body)
    yield _fragment(body)


def _form(before: str, after: str = "") -> Callable[[str], Rewrite | None]:
    """`before` (no | article) what `after`; one of both may hold the verb that agrees with the noun."""
    said = r"(?P<said>(?:no|an?|some) )?"
    pattern = re.compile(rf"(?P<before>{before}){said}(?P<what>.+?)(?P<after>{after})", re.IGNORECASE)

    def other(body: str) -> Rewrite | None:
        match = pattern.fullmatch(body)
        found = match and name_of_finding(match["what"])
        if match is None or found is None or not _agrees(match["before"] + match["after"], found[1]):
            return None
        before, what, after = match["before"], match["what"], match["after"]
        denied = (match["said"] or "").strip().lower() == "no"
        said = _affirmed(what, found[1]) if denied else f"no {what if before else _small(what)}"
        return Rewrite(f"{before}{said}{after}", f"{before}{what}{after}")

    return other


_FORMS = (
    _form(rf"{_WHERE}there (?:is|are) "),
    _form("", rf" (?:is|are) (?:{_SEEN})\b.*"),
    _form(rf"{_SHOWS} "),
)


def _affirmed(what: str, number: Number) -> str:
    return f"{article(what)} {what}" if number == "count" else what


def _agrees(verbs: str, number: Number) -> bool:
    """Whether "is" or "are" fits the noun; other verbs do not tell."""
    verb = re.search(r"\b(is|are)\b", verbs, re.IGNORECASE)
    return verb is None or (verb[1].lower() == "are") == (number == "plural")


def _opposite(body: str) -> Rewrite | None:
    """Without … ↔ with …, and the other pairs."""
    for absent, there in _OPPOSITES.items():
        for words, other in ((absent, there), (there, absent)):
            start, rest = body[: len(words)], body[len(words) :]
            if start.lower() == words and rest.startswith(" ") and name_of_finding(rest):
                return Rewrite(other + rest, rest)
    return None


def _fragment(body: str) -> Rewrite | None:
    """No … ↔ …, without a verb: what reports write for "There is no …"."""
    first, _, rest = body.partition(" ")
    what = rest.strip() if first.lower() in ("no", "a", "an") else body
    if name_of_finding(what) is None or _VERB.search(what):
        return None
    return Rewrite(what if first.lower() == "no" else f"no {_small(what)}", what)


def _small(words: str) -> str:
    """Without the capital of a sentence's first word; abbreviations keep theirs."""
    first = words.split()[0]
    return words[0].lower() + words[1:] if first[1:] == first[1:].lower() else words
