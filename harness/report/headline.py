"""The one answer first: does a model's map follow the words? Decided from intervals alone, by rules a reader can check.

A change counts as *shown* when its 95 % interval excludes "no effect" and, where a q value is given, q < 0.05, unless
the whole interval is negligible. What is not shown is never called an effect, nor is it called absent.
The rules are written out for readers in `docs/reading-a-report.md`.
"""

from dataclasses import dataclass
from enum import Enum

from harness.report import numbers, wording
from harness.report.reader import Estimate, Results, dig, parse_estimate
from harness.statistics import FEW_PATIENTS

SMALL_LRI = 0.10
"""A shown LRI below this is called small."""
NEGLIGIBLE_LRI = 0.05
"""An interval of the LRI inside ± this is called no response, even where it excludes 0."""
NEGLIGIBLE_AUROC = 0.01
"""Likewise for changes in AUROC and advantages."""
ALPHA = 0.05


class Sign(Enum):
    """What an interval shows of an effect."""

    FOR = "shown"
    NOT_SHOWN = "not shown"
    TOO_FEW = "too few"
    AGAINST = "opposite"
    NEGLIGIBLE = "negligible"
    UNKNOWN = "not measured"


class Verdict(Enum):
    """The answer for one model, in the order of good news."""

    YES = "Yes"
    SLIGHTLY = "Slightly"
    PARTLY = "Partly"
    NOT_SHOWN = "Not shown"
    NO = "No"
    OPPOSITE = "No, the opposite"
    TOO_FEW = "Too few patients to say"
    NOT_MEASURED = "Not measured"


SENTENCES = {
    Verdict.YES: "The map moves to the side that the sentence names, and the wrong side costs accuracy.",
    Verdict.SLIGHTLY: "The map moves towards the side that the sentence names, but little of it does.",
    Verdict.PARTLY: "Only one of the two tests shows that left and right matter to the map.",
    Verdict.NOT_SHOWN: "Neither test shows that left and right matter to the map. That is not proof that they do not.",
    Verdict.NO: "The map stays where it is, whichever side the sentence names.",
    Verdict.OPPOSITE: "The map moves away from the side that the sentence names.",
    Verdict.TOO_FEW: f"A deciding test rests on fewer than {FEW_PATIENTS} patients: this is an example, not evidence.",
    Verdict.NOT_MEASURED: "The run has no sentences that name one side, or no swapped arm.",
}

TONES = {Verdict.YES: "good", Verdict.NO: "bad", Verdict.OPPOSITE: "bad"}


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """One line of evidence: what was tested, what came out, what that shows."""

    question: str
    finding: str
    sign: Sign


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer for one model with its evidence."""

    model: str
    verdict: Verdict
    evidence: tuple[EvidenceLine, ...]

    @property
    def sentence(self) -> str:
        """The verdict in a sentence."""
        return SENTENCES[self.verdict]

    @property
    def tone(self) -> str:
        """``good``, ``open`` or ``bad``: how the verdict is coloured."""
        return TONES.get(self.verdict, "open")


def sign_of(estimate: Estimate | None, *, expected: int, negligible: float = NEGLIGIBLE_AUROC) -> Sign:
    """What `estimate` shows of an effect whose expected sign is `expected` (+1 or −1)."""
    if estimate is None or estimate.low is None or estimate.high is None:
        return Sign.UNKNOWN
    if estimate.few_patients:
        return Sign.TOO_FEW
    if -negligible < estimate.low and estimate.high < negligible:
        return Sign.NEGLIGIBLE
    significant = estimate.q is None or estimate.q < ALPHA
    if significant and (estimate.low > 0 or estimate.high < 0):
        positive = estimate.low > 0
        return Sign.FOR if positive == (expected > 0) else Sign.AGAINST
    return Sign.NOT_SHOWN


def decide(lri: Estimate | None, swap: Estimate | None, *, few_patients: bool = False) -> Verdict:
    """The verdict from the Laterality Response Index and the change in AUROC when left and right are swapped."""
    known = [e for e in (lri, swap) if e is not None and e.known]
    if not known:
        return Verdict.NOT_MEASURED
    moves = sign_of(lri, expected=1, negligible=NEGLIGIBLE_LRI)
    costs = sign_of(swap, expected=-1)
    if few_patients or Sign.TOO_FEW in (moves, costs):
        return Verdict.TOO_FEW
    if moves is Sign.AGAINST:  # where boxes are met better with the wrong side, nothing need have moved
        return Verdict.OPPOSITE
    shown = [moves, costs].count(Sign.FOR)
    if shown == 2:
        return Verdict.SLIGHTLY if _small(lri) else Verdict.YES
    if shown == 1:
        return Verdict.PARTLY
    decisive = costs if moves is Sign.UNKNOWN else moves
    return Verdict.NO if decisive is Sign.NEGLIGIBLE else Verdict.NOT_SHOWN


def _small(lri: Estimate | None) -> bool:
    return lri is not None and lri.mean is not None and lri.mean < SMALL_LRI


def answers(results: Results) -> tuple[Answer, ...]:
    """One answer per model."""
    return tuple(_answer(results, model) for model in results.models)


def _answer(results: Results, model: str) -> Answer:
    lri = parse_estimate(dig(results.summary, "laterality", model, "lri"))
    subset = wording.favoured_subset("swap_left_right", results.subsets)
    swap = _auroc_delta(results, model, "swap_left_right", subset)
    lines = (
        _lri_evidence(lri),
        _delta_evidence("Does naming the wrong side cost accuracy?", swap, subset),
        _random_evidence(results, model),
        _control_evidence(results, model, "text_blind", "Does it beat one map for all sentences?"),
        _control_evidence(results, model, "image_blind", "Does it beat its own wording on other images?"),
        _control_evidence(results, model, "image_blind_same_meaning", "Does it beat its meaning on other images?"),
    )
    return Answer(
        model, decide(lri, swap, few_patients=results.few_patients), tuple(line for line in lines if line is not None)
    )


def _auroc_delta(results: Results, model: str, perturbation: str, subset: str) -> Estimate | None:
    return results.estimate("deltas", model, perturbation, subset, wording.DEFAULT_PROFILE, wording.PRIMARY_METRIC)


def _lri_evidence(lri: Estimate | None) -> EvidenceLine:
    question = "Does the map move to the side that is named?"
    if lri is None or not lri.known:
        return EvidenceLine(question, "No Laterality Response Index in this run.", Sign.UNKNOWN)
    text = f"Laterality Response Index {_with_count(lri)}"
    return EvidenceLine(question, text, sign_of(lri, expected=1, negligible=NEGLIGIBLE_LRI))


def _random_evidence(results: Results, model: str) -> EvidenceLine | None:
    subset = wording.favoured_subset("random_sentences", results.subsets)
    delta = _auroc_delta(results, model, "random_sentences", subset)
    if delta is None:
        return None
    return _delta_evidence("Does a foreign sentence cost accuracy?", delta, subset)


def _delta_evidence(question: str, delta: Estimate | None, subset: str) -> EvidenceLine:
    if delta is None or not delta.known:
        return EvidenceLine(question, "This run has no such arm.", Sign.UNKNOWN)
    sign = sign_of(delta, expected=-1)
    text = f"change in AUROC {_with_count(delta)}, {wording.term(wording.SUBSETS, subset).label}"
    if sign is Sign.NOT_SHOWN and delta.mde is not None:
        text += f"; smallest detectable change {numbers.number(delta.mde)}"
    return EvidenceLine(question, text, sign)


def _control_evidence(results: Results, model: str, control: str, question: str) -> EvidenceLine | None:
    """The paired advantage over a blind control, on the sentences that have both."""
    where = ("all", wording.DEFAULT_PROFILE, wording.PRIMARY_METRIC)
    gain = results.estimate("advantage", model, control, *where)
    if gain is None or not gain.known:
        return None
    text = f"AUROC above {wording.term(wording.CONTROLS, control).label} by {_with_count(gain)}"
    return EvidenceLine(question, text, sign_of(gain, expected=1))


def _with_count(estimate: Estimate) -> str:
    parts = [numbers.with_interval(estimate, signed=True), numbers.count(estimate.n)]
    if estimate.few_patients and estimate.patients is not None:
        parts.append(f"from {estimate.patients} patients")
    if estimate.q is not None:
        parts.append(numbers.named_probability("q", estimate.q))
    return ", ".join(parts)


def lead(answers_: tuple[Answer, ...]) -> str:
    """The whole report in one line."""
    if not answers_:
        return "This run evaluated no model."
    return " ".join(f"{answer.model}: {answer.verdict.value.lower()}." for answer in answers_)
