"""Sentence patterns and how a sentence of a wanted length is composed from them.

Affirming and denying patterns come in pairs of like length, and every sentence aims at a length drawn from one common
distribution: the number of words tells nothing about what a sentence says.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.dataset.phantom.vocabulary import DENIED_ADJECTIVES, TAILS, Noun

# {np}: noun phrase with article; {bare}: without; {loc}: where; {is}: agrees with the noun phrase
AFFIRMING = (
    *(
        "there {is} {np} {loc}",
        "{np} {is} seen {loc}",
        "{np} {loc}",
        "{loc} there {is} {np}",
        "{np} {is} present {loc}",
    ),
    *(
        "findings consistent with {np} {loc}",
        "again seen {is} {np} {loc}",
        "{np} {loc} {is} unchanged",
        "there is evidence of {np} {loc}",
    ),
    *("the radiograph demonstrates {np} {loc}", "{np} {is} noted {loc}", "new {bare} {loc}", "persistent {bare} {loc}"),
    *("interval development of {np} {loc}", "{np} {is} again noted {loc}", "increasing {bare} {loc}"),
)
AFFIRMING_HELD_OUT = (
    *(
        "{np} {is} identified {loc}",
        "redemonstration of {np} {loc}",
        "the study shows {np} {loc}",
        "{np} {is} visualized {loc}",
    ),
)
DENYING = (
    *(
        "there {is} no {bare} {loc}",
        "no {bare} {is} seen {loc}",
        "no {bare} {loc}",
        "{loc} there {is} no {bare}",
        "no {bare} {is} present {loc}",
    ),
    *(
        "no findings to suggest {bare} {loc}",
        "again seen {is} no {bare} {loc}",
        "no evidence of {bare} {loc}",
        "there is no evidence of {bare} {loc}",
    ),
    *(
        "the radiograph demonstrates no {bare} {loc}",
        "no {bare} {is} noted {loc}",
        "negative for {bare} {loc}",
        "without {bare} {loc}",
    ),
    *("no interval development of {bare} {loc}", "no {bare} {is} evident {loc}"),
)
DENYING_HELD_OUT = (
    *(
        "no {bare} {is} identified {loc}",
        "absence of {bare} {loc}",
        "the study shows no {bare} {loc}",
        "no {bare} {is} visualized {loc}",
    ),
)
_LENGTHS = np.array([3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
_LENGTH_SHARES = np.array([1, 3, 5, 6, 6, 5, 4, 3, 2, 1]) / 36
_TRIES = 24


@dataclass(frozen=True, slots=True)
class Wording:
    """One way to name the finding and its place. Either may carry the place: `left lobe` + noun, or noun + `in the …`."""

    noun: Noun
    prefix: str
    place: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A composed sentence."""

    text: str
    wording: Wording | None
    held_out_template: bool

    @property
    def words(self) -> int:
        """Words, as blanks divide them."""
        return len(self.text.split())


def choose(drafts: Sequence[Draft], rng: np.random.Generator) -> Draft:
    """The draft nearest to a length drawn from the common distribution."""
    target = int(rng.choice(_LENGTHS, p=_LENGTH_SHARES))
    return min(drafts, key=lambda draft: abs(draft.words - target))


def affirm(wordings: Sequence[Wording], adjectives: Sequence[str], held_out: bool, rng: np.random.Generator) -> Draft:
    """State a finding."""
    return _compose(AFFIRMING, AFFIRMING_HELD_OUT if held_out else (), wordings, adjectives, rng)


def deny(wordings: Sequence[Wording], held_out: bool, rng: np.random.Generator) -> Draft:
    """Deny a finding."""
    return _compose(DENYING, DENYING_HELD_OUT if held_out else (), wordings, DENIED_ADJECTIVES, rng)


def _compose(
    seen: Sequence[str],
    held_out: Sequence[str],
    wordings: Sequence[Wording],
    adjectives: Sequence[str],
    rng: np.random.Generator,
) -> Draft:
    patterns = (*seen, *held_out)
    picks = zip(
        rng.integers(len(patterns), size=_TRIES).tolist(),
        rng.integers(len(wordings), size=_TRIES).tolist(),
        rng.integers(2 * len(adjectives), size=_TRIES).tolist(),
        rng.integers(3 * len(TAILS), size=_TRIES).tolist(),
        strict=True,
    )
    drafts = [
        Draft(_fill(patterns[p], wordings[w], _at(adjectives, a), _at(TAILS, t)), wordings[w], p >= len(seen))
        for p, w, a, t in picks
    ]
    return choose(drafts, rng)


def _at(options: Sequence[str], index: int) -> str:
    """The option, or nothing beyond the end."""
    return options[index] if index < len(options) else ""


def _fill(pattern: str, wording: Wording, adjective: str, tail: str) -> str:
    bare = " ".join(part for part in (adjective, wording.prefix, wording.noun.text) if part)
    article = ("an " if bare[0] in "aeiou" else "a ") if wording.noun.number == "count" else ""
    verb = "are" if wording.noun.number == "plural" else "is"
    if pattern.startswith("{loc}") and not wording.place:
        pattern = pattern.removeprefix("{loc} ")
    return finish(f"{pattern} {tail}".format(np=article + bare, bare=bare, loc=wording.place, **{"is": verb}))


def finish(text: str) -> str:
    """One blank between words, a capital at the start, a full stop at the end."""
    text = " ".join(text.split())
    return text[0].upper() + text[1:] + "."
