"""docs/perturbations.md lists every perturbation as it is declared, and every example on it is what really happens."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.case import Box, ImageRecord, Sentence, Triple
from harness.perturbation.catalogue import BUILTIN, make_perturbations
from harness.perturbation.registry import Declaration
from tests import repository

PAGE = repository.read(Path("docs/perturbations.md"))
BY_ITS_HEADING = ("swap_left_right", "swap_left_right_paper", "negation", "paraphrase", "synthetic_sentences")


def row(declared: Declaration) -> str:
    return f"| `{declared.name}` | {declared.description} | {declared.not_for} |".replace("|  |", "| |")


def examples() -> Iterator[tuple[str, str, str]]:
    """Name of the perturbation, what stands before and what after it."""
    for section in PAGE.split("\n## ")[1:]:
        heading = section.splitlines()[0]
        for before, after in re.findall(r"^\| (?!before|---)(.+?) \| (.+?) \|$", section, re.MULTILINE):
            name, rest = (heading, before) if heading in BY_ITS_HEADING else before.split(" ", 1)
            yield name, rest, after


def record(*sentences: Sentence) -> ImageRecord:
    return ImageRecord("image", "patient", "study", 64, 64, (), sentences, load=lambda: b"")


def said(name: str, study: ImageRecord) -> list[str]:
    """What each sentence has become: its text, or the reason in italics."""
    (perturbation,) = make_perturbations([name], [study], seed=0)
    return [case.text if case.applicable else f"*{case.reason}*" for case in perturbation.cases(study)]


def annotated(text: str) -> Sentence:
    """A sentence of which "place: label; place: no label" is stated."""
    triples = []
    for part in text.split("; "):
        region, label = part.split(": ")
        triples.append(Triple(region, label.removeprefix("no "), not label.startswith("no ")))
    return Sentence("s", "Text.", (), tuple(triples))


def shuffled(text: str) -> str:
    """What becomes of the boxes of "a: left lung; b: right lung"."""
    names = {i: name.strip() for i, name in (part.split(":") for part in text.split("; "))}
    sentences = [Sentence(i, "Text.", (Box(name, 0, 0, 9, 9),) if name else ()) for i, name in names.items()]
    (perturbation,) = make_perturbations(["shuffle_in_report"], [], seed=0)
    cases = perturbation.cases(record(*sentences))
    outcomes = (case.boxes[0].name if case.applicable else f"*{case.reason}*" for case in cases)
    return "; ".join(f"{s.sentence_id}: {outcome}" for s, outcome in zip(sentences, outcomes, strict=True))


def test_the_table_is_what_the_perturbations_declare() -> None:
    block = PAGE.split("<!-- perturbations -->\n")[1].split("<!-- /perturbations -->")[0]
    assert block.splitlines()[2:] == [row(declared) for declared in BUILTIN]


def test_every_perturbation_has_its_section() -> None:
    headings = {name for line in re.findall(r"^## (.+)$", PAGE, re.MULTILINE) for name in line.split(", ")}
    assert {declared.name for declared in BUILTIN} - headings == {"none"}


@pytest.mark.parametrize(("name", "before", "after"), list(examples()))
def test_an_example_is_what_happens(name: str, before: str, after: str) -> None:
    if name == "shuffle_in_report":
        assert shuffled(before) == after
        return
    if name == "synthetic_sentences":
        sentence = annotated(before)
    else:
        text, _, paraphrase = before.partition(" / ")
        sentence = Sentence("s", text, (), paraphrase=paraphrase)
    assert said(name, record(sentence)) == [after]


def test_there_are_examples_of_most() -> None:
    assert len({name for name, _, _ in examples()}) >= 8
