"""Writes the report of a study: every finding is reported, everything denied is absent."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from harness.case import Box, Sentence, Triple
from harness.dataset.phantom.anatomy import SIDES
from harness.dataset.phantom.findings import KINDS, Finding, Kind
from harness.dataset.phantom.normal import REMARKS, remark
from harness.dataset.phantom.plan import StudyPlan
from harness.dataset.phantom.regions import ZONES
from harness.dataset.phantom.streams import Stream
from harness.dataset.phantom.templates import Draft, Wording, affirm, deny
from harness.dataset.phantom.vocabulary import (
    BARE_BOTH_PLACES,
    BARE_SIDE_PLACES,
    BOTH_ADJECTIVES,
    BOTH_PLACES,
    SIDE_ADJECTIVES,
    SIDE_PLACES,
    WORDS,
    ZONE_ADJECTIVES,
    ZONE_PLACES,
    Noun,
    pair_held_out,
    spell,
)

_WHOLE = {
    "focal": "lung",
    "diffuse": "lung",
    "apex": "lung",
    "base": "costophrenic angle",
    "hilum": "hilar structures",
    "diaphragm": "hemidiaphragm",
}
"""The region that a sentence speaks of when it names a side only."""
_LUNG_WIDE = ("focal", "diffuse", "apex")


@dataclass(frozen=True, slots=True)
class Statement:
    """What a sentence is to say, before its words are chosen."""

    kind: str
    location: str
    regions: tuple[str, ...]
    triples: tuple[Triple, ...]
    draft: Draft

    @property
    def negated(self) -> bool:
        """Whether it denies something."""
        return any(not triple.context for triple in self.triples)


def write_report(plan: StudyPlan) -> tuple[Sentence, ...]:
    """The sentences of a study, in a random order."""
    writer = _Writer(plan.key.split == "test", plan.key.rng(Stream.REPORT))
    shown = {box.name: box for box in plan.boxes}
    statements = [*writer.findings(plan.findings), *writer.denials(plan.facts), *writer.remarks(plan.facts)]
    seen: dict[str, Statement] = {s.draft.text: s for s in statements if set(s.regions) <= shown.keys()}
    order = writer.rng.permutation(len(seen)).tolist()
    kept = list(seen.values())
    return tuple(_sentence(kept[i], f"{plan.key.study_id}-{n:02d}", shown) for n, i in enumerate(order))


def _sentence(statement: Statement, sentence_id: str, shown: dict[str, Box]) -> Sentence:
    draft = statement.draft
    pair = draft.wording is not None and any(
        pair_held_out(draft.wording.noun, region.partition(" ")[2])
        for region in statement.regions
        if statement.location == "zone"
    )
    polarity = "negated" if statement.negated else "normal" if statement.kind == "normal" else "affirmed"
    bucket = "short" if draft.words <= 5 else "medium" if draft.words <= 8 else "long"
    return Sentence(
        sentence_id=sentence_id,
        text=draft.text,
        boxes=tuple(shown[name] for name in statement.regions),
        triples=statement.triples,
        negated=statement.negated,
        strata={
            "location": statement.location,
            "template": "held_out" if pair or draft.held_out_template else "seen",
            "word_count": bucket,
            "finding": statement.kind,
            "polarity": polarity,
        },
    )


class _Writer:
    """Turns findings and absences into statements; all its draws come from one generator."""

    def __init__(self, held_out: bool, rng: np.random.Generator) -> None:
        self.held_out = held_out
        self.rng = rng

    def findings(self, findings: Sequence[Finding]) -> Iterator[Statement]:
        """One statement per finding, or one for a pair of them."""
        for key in dict.fromkeys(finding.kind.key for finding in findings):
            alike = [finding for finding in findings if finding.kind.key == key]
            if len(alike) == 2 and (alike[0].kind.bilateral == 1.0 or self.rng.random() < 0.5):
                yield self._pair(alike)
            else:
                for finding in alike:
                    yield self._single(finding, alone=len(alike) == 1)

    def _pair(self, pair: Sequence[Finding]) -> Statement:
        kind = pair[0].kind
        location = "none" if kind.bilateral == 1.0 and self.rng.random() < 0.5 else "both"
        regions = tuple(region for finding in pair for region in finding.regions)
        if location == "both" and kind.spread == "focal":
            regions = tuple(f"{finding.side} lung" for finding in pair)
        wordings = _wordings(kind, location)
        return self._affirmed(kind, location, regions, wordings, pair[0])

    def _single(self, finding: Finding, alone: bool) -> Statement:
        kind = finding.kind
        location = self._location(kind, alone)
        regions = finding.regions
        if location == "side" and kind.spread in _LUNG_WIDE:
            regions = (f"{finding.side} lung",)
        zone = finding.regions[-1].partition(" ")[2]
        wordings = _wordings(kind, location, finding.side or "", zone)
        return self._affirmed(kind, location, regions, self._allowed(wordings, zone, location), finding)

    def _location(self, kind: Kind, alone: bool) -> str:
        if kind.spread == "heart":
            return "organ"
        shares = {"none": 0.3 if alone else 0.0, "side": 0.3, "zone": 0.4 if kind.spread in ("focal", "base") else 0.0}
        weights = np.array(list(shares.values()))
        return str(self.rng.choice(list(shares), p=weights / weights.sum()))

    def _allowed(self, wordings: Sequence[Wording], zone: str, location: str) -> list[Wording]:
        """Outside the test split, no wording that pairs a name with a zone held out for it."""
        if self.held_out or location != "zone":
            return list(wordings)
        return [wording for wording in wordings if not pair_held_out(wording.noun, zone)]

    def _affirmed(
        self, kind: Kind, location: str, regions: tuple[str, ...], wordings: Sequence[Wording], finding: Finding
    ) -> Statement:
        words = WORDS[kind.key]
        large = finding.regions[0].endswith((" lower lung zone", " lung"))
        adjectives = (*words.adjectives, *(words.large if large else words.small))
        labels = (kind.label, "abnormal")
        triples = tuple(Triple(region, label, True) for region in regions for label in labels)
        draft = affirm(wordings, adjectives, self.held_out, self.rng)
        return Statement(kind.key, location, regions, triples, draft)

    def denials(self, facts: frozenset[Triple]) -> Iterator[Statement]:
        """Denials of what is absent, here or altogether."""
        for key in self.rng.permutation(list(KINDS))[: int(self.rng.integers(1, 4))]:
            kind = KINDS[str(key)]
            location, regions, wordings = self._absence(kind)
            triples = tuple(Triple(region, kind.label, False) for region in regions)
            statement = Statement(kind.key, location, regions, triples, deny(wordings, self.held_out, self.rng))
            if not any(Triple(triple.region, triple.label, True) in facts for triple in triples):
                yield statement

    def _absence(self, kind: Kind) -> tuple[str, tuple[str, ...], Sequence[Wording]]:
        if kind.spread == "heart":
            return "organ", ("cardiac silhouette",), _wordings(kind, "organ")
        whole = _WHOLE[kind.spread]
        location = str(
            self.rng.choice(["none", "side", "zone" if kind.spread == "focal" else "side"], p=[0.3, 0.3, 0.4])
        )
        if location == "none":
            return location, tuple(f"{side} {whole}" for side in SIDES), _wordings(kind, location)
        side, zone = str(self.rng.choice(SIDES)), str(self.rng.choice(ZONES))
        if location == "side":
            return location, (f"{side} {whole}",), _wordings(kind, location, side)
        return location, (f"{side} {zone}",), self._allowed(_wordings(kind, location, side, zone), zone, location)

    def remarks(self, facts: frozenset[Triple]) -> Iterator[Statement]:
        """Parts of the chest that are normal, and called so."""
        for index in self.rng.permutation(len(REMARKS))[: int(self.rng.integers(0, 3))].tolist():
            about = REMARKS[index]
            triples = tuple(Triple(region, "normal", True) for region in about.regions)
            draft = remark(about, self.held_out, self.rng)
            if not any(Triple(region, "abnormal", True) in facts for region in about.regions):
                yield Statement("normal", about.location, about.regions, triples, draft)


def _wordings(kind: Kind, location: str, side: str = "", zone: str = "") -> list[Wording]:
    """Every way to name a kind of finding at a place: the place before the noun, or after it."""
    bare = kind.spread in ("base", "hilum", "diaphragm")
    match location:
        case "none" | "organ":
            prefixes, places = ("",), ("",)
        case "side":
            prefixes, places = SIDE_ADJECTIVES, BARE_SIDE_PLACES if bare else SIDE_PLACES
        case "both":
            prefixes, places = BOTH_ADJECTIVES, BARE_BOTH_PLACES if bare else BOTH_PLACES
        case _:
            prefixes, places = ZONE_ADJECTIVES[zone], ZONE_PLACES[zone]
    before = [Wording(noun, spell(prefix, side, zone), "") for noun in _plain(kind, location) for prefix in prefixes]
    after = [Wording(noun, "", spell(place, side, zone)) for noun in _plain(kind, location) for place in places]
    return before if location in ("none", "organ") else before + after


def _plain(kind: Kind, location: str) -> Sequence[Noun]:
    """The kind's names; of two sides at once, in the plural where there is one."""
    nouns = WORDS[kind.key].nouns
    if location != "both":
        return nouns
    return [Noun(_plural(noun.text), "plural") if noun.number == "count" else noun for noun in nouns]


def _plural(text: str) -> str:
    return text[:-1] + "ies" if text.endswith("y") else text + "es" if text.endswith("s") else text + "s"
