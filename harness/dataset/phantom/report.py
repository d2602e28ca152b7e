"""Writes the report of a study: every finding is reported, everything denied is absent, what is called normal is so."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from harness.case import Box, Sentence, Triple
from harness.dataset.phantom.anatomy import SIDES
from harness.dataset.phantom.devices import Device
from harness.dataset.phantom.findings import KINDS, Finding, Kind, Spread
from harness.dataset.phantom.normal import REMARKS, remark
from harness.dataset.phantom.places import place_nouns, wordings
from harness.dataset.phantom.plan import StudyPlan
from harness.dataset.phantom.regions import ZONES
from harness.dataset.phantom.streams import Stream
from harness.dataset.phantom.templates import AFFIRMING, DENYING, PLACING, Draft, Patterns, Wording, compose, rewordable
from harness.dataset.phantom.vocabulary import DENIED_ADJECTIVES, DEVICE_WORDS, HELD_OUT_PAIRS, WORDS, Noun

_WHOLE: dict[Spread, str] = {
    "focal": "lung",
    "diffuse": "lung",
    "apex": "lung",
    "base": "costophrenic angle",
    "hilum": "hilar structures",
    "diaphragm": "hemidiaphragm",
}
"""The region that a sentence speaks of when it names a side only."""
_LUNG_WIDE = ("focal", "diffuse", "apex")
_DENIED_TOGETHER = (("effusion", "pneumothorax"), ("consolidation", "effusion"), ("nodule", "mass"))


@dataclass(frozen=True, slots=True)
class Statement:
    """What a sentence says and in which words, before it gets its boxes."""

    finding: str
    location: str
    regions: tuple[str, ...]
    triples: tuple[Triple, ...]
    draft: Draft


def write_report(plan: StudyPlan) -> tuple[Sentence, ...]:
    """The sentences of a study, in a random order."""
    writer = _Writer(plan.key.split == "test", plan.key.rng(Stream.REPORT))
    statements = [
        *writer.findings(plan.findings),
        *writer.denials(plan.facts),
        *writer.remarks(plan.facts),
        *writer.devices(plan.devices),
    ]
    shown = {box.name: box for box in plan.boxes}
    distinct = {s.draft.text: s for s in statements if set(s.regions) <= shown.keys()}
    kept = list(distinct.values())
    order = writer.rng.permutation(len(kept)).tolist()
    others = [kept[i].draft.reword(plan.key.rng(Stream.PARAPHRASE, n)) for n, i in enumerate(order)]
    return tuple(_sentence(kept[i], f"{plan.key.study_id}-{n:02d}", shown, others[n]) for n, i in enumerate(order))


def _sentence(statement: Statement, sentence_id: str, shown: dict[str, Box], paraphrase: str) -> Sentence:
    draft, negated = statement.draft, any(not triple.context for triple in statement.triples)
    pair = _is_held_out(draft.noun, statement.location, statement.regions)
    return Sentence(
        sentence_id=sentence_id,
        text=draft.text,
        boxes=tuple(shown[name] for name in statement.regions),
        triples=statement.triples,
        negated=negated,
        strata={
            "location": statement.location,
            "template": "held_out" if pair or draft.held_out else "seen",
            "word_count": "short" if draft.words <= 5 else "medium" if draft.words <= 8 else "long",
            "finding": statement.finding,
            "polarity": "negated" if negated else "normal" if statement.finding == "normal" else "affirmed",
        },
        paraphrase=paraphrase,
    )


def _is_held_out(noun: str, location: str, regions: Sequence[str]) -> bool:
    """Whether a name meets a zone that it is held out for."""
    return location == "zone" and (noun, regions[-1].partition(" ")[2]) in HELD_OUT_PAIRS


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
                yield from (self._single(finding, alone=len(alike) == 1) for finding in alike)

    def denials(self, facts: frozenset[Triple]) -> Iterator[Statement]:
        """Denials of what is absent, here or altogether."""
        for key in self.rng.permutation(list(KINDS))[: int(self.rng.integers(1, 4))].tolist():
            yield from self._if_absent(self._denial(KINDS[key]), facts)
        if self.rng.random() < 0.25:
            pair = _DENIED_TOGETHER[int(self.rng.integers(len(_DENIED_TOGETHER)))]
            yield from self._if_absent(self._denial_of_both(KINDS[pair[0]], KINDS[pair[1]]), facts)

    def remarks(self, facts: frozenset[Triple]) -> Iterator[Statement]:
        """Parts of the chest that are normal, and called so."""
        for index in self.rng.permutation(len(REMARKS))[: int(self.rng.integers(0, 3))].tolist():
            about = REMARKS[index]
            draft = remark(about, self.held_out, self.rng)
            if not any(Triple(region, "abnormal", True) in facts for region in about.regions):
                triples = tuple(Triple(region, "normal", True) for region in about.regions)
                yield Statement("normal", about.location, about.regions, triples, draft)

    def devices(self, devices: Sequence[Device]) -> Iterator[Statement]:
        """Half of the devices that have a name."""
        for device in devices:
            if device.kind not in DEVICE_WORDS or self.rng.random() < 0.5:
                continue
            location = "side" if device.side else "organ"
            ways = place_nouns(DEVICE_WORDS[device.kind], location, device.side or "", outside=True)
            triples = tuple(Triple(region, device.kind, True) for region in device.regions)
            draft = self._compose(PLACING, ways, (), location, device.regions)
            yield Statement("device", location, device.regions, triples, draft)

    def _pair(self, pair: Sequence[Finding]) -> Statement:
        kind = pair[0].kind
        location = "none" if kind.bilateral == 1.0 and self.rng.random() < 0.5 else "both"
        regions = tuple(region for finding in pair for region in finding.regions)
        if location == "both" and kind.spread == "focal":
            regions = tuple(f"{finding.side} lung" for finding in pair)
        return self._affirmed(pair[0], location, regions, wordings(kind, location))

    def _single(self, finding: Finding, alone: bool) -> Statement:
        kind, side, regions = finding.kind, finding.side or "", finding.regions
        location = self._location(kind, alone)
        if location == "side" and kind.spread in _LUNG_WIDE:
            regions = (f"{side} lung",)
        return self._affirmed(finding, location, regions, self._placed(kind, location, side, regions))

    def _location(self, kind: Kind, alone: bool) -> str:
        if kind.spread == "heart":
            return "organ"
        shares = np.array([0.3 if alone else 0.0, 0.3, 0.4 if kind.spread in ("focal", "base") else 0.0])
        return str(self.rng.choice(["none", "side", "zone"], p=shares / shares.sum()))

    def _affirmed(
        self, finding: Finding, location: str, regions: tuple[str, ...], ways: Sequence[Wording]
    ) -> Statement:
        words, kind = WORDS[finding.kind.key], finding.kind
        adjectives = (*words.adjectives, *(words.large if finding.large else words.small))
        triples = tuple(Triple(region, label, True) for region in regions for label in (kind.label, "abnormal"))
        draft = self._compose(AFFIRMING, ways, adjectives, location, regions)
        return Statement(kind.key, location, regions, triples, draft)

    def _denial(self, kind: Kind) -> Statement:
        location = str(self.rng.choice(["none", "side", "zone"], p=[0.3, 0.25, 0.45]))
        side, zone = str(self.rng.choice(SIDES)), str(self.rng.choice(ZONES))
        regions: tuple[str, ...]
        if kind.spread == "heart":
            location, regions = "organ", ("cardiac silhouette",)
        elif location == "none":
            regions = tuple(f"{each} {_WHOLE[kind.spread]}" for each in SIDES)
        elif location == "zone" and kind.spread == "focal":
            regions = (f"{side} {zone}",)
        else:
            location, regions = "side", (f"{side} {_WHOLE[kind.spread]}",)
        triples = tuple(Triple(region, kind.label, False) for region in regions)
        ways = self._placed(kind, location, side, regions)
        draft = self._compose(DENYING, ways, DENIED_ADJECTIVES, location, regions)
        return Statement(kind.key, location, regions, triples, draft)

    def _denial_of_both(self, one: Kind, other: Kind) -> Statement:
        """ "No effusion or pneumothorax", on one side or altogether."""
        side = str(self.rng.choice(SIDES)) if self.rng.random() < 0.5 else ""
        places = [
            (kind, f"{each} {_WHOLE[kind.spread]}") for kind in (one, other) for each in ((side,) if side else SIDES)
        ]
        regions = tuple(dict.fromkeys(region for _, region in places))
        triples = tuple(Triple(region, kind.label, False) for kind, region in places)
        nouns = [Noun(f"{a.text} or {b.text}") for a in WORDS[one.key].nouns[:3] for b in WORDS[other.key].nouns[:3]]
        ways = place_nouns(nouns, "side" if side else "none", side, outside=True)
        location = "side" if side else "none"
        draft = self._compose(DENYING, ways, DENIED_ADJECTIVES, location, regions)
        return Statement("several", location, regions, triples, draft)

    def _if_absent(self, statement: Statement, facts: frozenset[Triple]) -> Iterator[Statement]:
        if not any(Triple(triple.region, triple.label, True) in facts for triple in statement.triples):
            yield statement

    def _placed(self, kind: Kind, location: str, side: str, regions: Sequence[str]) -> list[Wording]:
        """Wordings at a place; outside the test split none that pairs a name with a zone held out for it."""
        zone = regions[-1].partition(" ")[2]
        ways = wordings(kind, location, side, zone)
        if self.held_out or location != "zone":
            return ways
        return [way for way in ways if (way.noun.text, zone) not in HELD_OUT_PAIRS]

    def _compose(
        self,
        patterns: Patterns,
        ways: Sequence[Wording],
        adjectives: Sequence[str],
        location: str,
        regions: Sequence[str],
    ) -> Draft:
        """A draft whose second wording meets a held-out zone only if the draft does."""
        draft = compose(patterns, ways, adjectives, self.rng, self.held_out)
        held_out = _is_held_out(draft.noun, location, regions)
        alike = [way for way in ways if _is_held_out(way.noun.text, location, regions) == held_out]
        return rewordable(draft, patterns, alike)
