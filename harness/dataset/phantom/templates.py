"""Sentence patterns and how a sentence of a wanted length is composed from them.

Affirming and denying patterns come in pairs of like length, and every sentence aims at a length drawn from one common
distribution: the number of words tells nothing about what a sentence says.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from harness.dataset.phantom.paraphrase import other_wording
from harness.dataset.phantom.vocabulary import TAILS, Noun


@dataclass(frozen=True, slots=True)
class Patterns:
    """Ways to build a sentence; those held out occur in the test split only.

    {np}: noun phrase with its article; {bare}: without; {loc}: where; {is}: agrees with the noun.
    """

    seen: tuple[str, ...]
    held_out: tuple[str, ...]


AFFIRMING = Patterns(
    seen=(
        "there {is} {np} {loc}",
        "{np} {is} seen {loc}",
        "{np} {loc}",
        "{loc} there {is} {np}",
        "{np} {is} present {loc}",
        "findings consistent with {np} {loc}",
        "again seen {is} {np} {loc}",
        "{np} {loc} {is} unchanged",
        "there is evidence of {np} {loc}",
        "the radiograph demonstrates {np} {loc}",
        "{np} {is} noted {loc}",
        "new {bare} {loc}",
        "persistent {bare} {loc}",
        "interval development of {np} {loc}",
        "{np} {is} again noted {loc}",
        "increasing {bare} {loc}",
    ),
    held_out=(
        "{np} {is} identified {loc}",
        "redemonstration of {np} {loc}",
        "the study shows {np} {loc}",
        "{np} {is} visualized {loc}",
    ),
)
DENYING = Patterns(
    seen=(
        "there {is} no {bare} {loc}",
        "no {bare} {is} seen {loc}",
        "no {bare} {loc}",
        "{loc} there {is} no {bare}",
        "no {bare} {is} present {loc}",
        "no findings to suggest {bare} {loc}",
        "again there {is} no {bare} {loc}",
        "no evidence of {bare} {loc}",
        "there is no evidence of {bare} {loc}",
        "the radiograph demonstrates no {bare} {loc}",
        "no {bare} {is} noted {loc}",
        "negative for {bare} {loc}",
        "without {bare} {loc}",
        "no interval development of {bare} {loc}",
        "no {bare} {is} evident {loc}",
    ),
    held_out=(
        "no {bare} {is} identified {loc}",
        "absence of {bare} {loc}",
        "the study shows no {bare} {loc}",
        "no {bare} {is} visualized {loc}",
    ),
)
PLACING = Patterns(
    seen=(
        "there {is} {np} {loc}",
        "{np} {is} seen {loc}",
        "{np} {is} in place {loc}",
        "{np} {loc} {is} in standard position",
        "{np} {loc} {is} unchanged in position",
        "the patient has {np} {loc}",
        "interval placement of {np} {loc}",
        "{np} {is} again noted {loc}",
    ),
    held_out=("{np} {is} identified {loc}", "{np} projects as expected {loc}"),
)

_LENGTHS = np.array([3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
_SHARES = np.array([1, 3, 5, 6, 6, 5, 4, 3, 2, 1]) / 36
_TRIES = 24


@dataclass(frozen=True, slots=True)
class Wording:
    """One way to name the finding and its place: `prefix` before the noun, or `place` for a pattern's {loc}."""

    noun: Noun
    prefix: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A composed sentence. `noun`: the name that it uses, empty for a normal part."""

    text: str
    noun: str
    held_out: bool
    pattern: str = ""
    adjective: str = ""
    tail: str = ""
    reword: Callable[[np.random.Generator], str] = field(default=lambda rng: "", compare=False, repr=False)
    """Draws a second wording; empty if there is none."""

    @property
    def words(self) -> int:
        """Words, as blanks divide them."""
        return len(self.text.split())


def choose(drafts: Sequence[Draft], rng: np.random.Generator) -> Draft:
    """The draft nearest to a length drawn from the common distribution."""
    target = int(rng.choice(_LENGTHS, p=_SHARES))
    return min(drafts, key=lambda draft: abs(draft.words - target))


def compose(
    patterns: Patterns,
    wordings: Sequence[Wording],
    adjectives: Sequence[str],
    rng: np.random.Generator,
    held_out: bool,
) -> Draft:
    """A sentence that says one of the wordings; `held_out` admits the patterns kept for the test split."""
    usable = (*patterns.seen, *(patterns.held_out if held_out else ()))
    picks = zip(
        rng.integers(len(usable), size=_TRIES).tolist(),
        rng.integers(len(wordings), size=_TRIES).tolist(),
        rng.integers(2 * max(len(adjectives), 1), size=_TRIES).tolist(),
        rng.integers(3 * len(TAILS), size=_TRIES).tolist(),
        strict=True,
    )
    drafts = []
    for pattern, wording, adjective, tail in picks:
        chosen = usable[pattern], wordings[wording], _at(adjectives, adjective), _at(TAILS, tail)
        held_back = pattern >= len(patterns.seen)
        drafts.append(Draft(_fill(*chosen), chosen[1].noun.text, held_back, chosen[0], chosen[2], chosen[3]))
    return choose(drafts, rng)


def rewordable(draft: Draft, patterns: Patterns, wordings: Sequence[Wording]) -> Draft:
    """The draft with the means to say it in other words, by these wordings."""

    def fill(pattern: str, drawn: int) -> str:
        return _fill(pattern, wordings[drawn % len(wordings)], draft.adjective, draft.tail)

    usable = patterns.held_out if draft.held_out else patterns.seen
    return replace(draft, reword=partial(other_wording, draft.text, draft.pattern, usable, fill))


def _at(options: Sequence[str], index: int) -> str:
    """The option, or nothing beyond the end."""
    return options[index] if index < len(options) else ""


def _fill(pattern: str, wording: Wording, adjective: str, tail: str) -> str:
    bare = " ".join(part for part in (adjective, wording.prefix, wording.noun.text) if part)
    article = ("an " if bare[0] in "aeiou" else "a ") if wording.noun.number == "count" else ""
    verb = "are" if wording.noun.number == "plural" else "is"
    return finish(f"{pattern} {tail}".format(np=article + bare, bare=bare, loc=wording.place, **{"is": verb}))


def finish(text: str) -> str:
    """One blank between words, a capital at the start, a full stop at the end."""
    text = " ".join(text.split())
    return text[0].upper() + text[1:] + "."
