"""docs/study-claims.md: every number of its tables was measured or published, every decimal of its text is theirs.

The header of a column tells what stands below it: ``MEASURE: here (n = N)``, from docs/phantom-results.md;
``MEASURE: less encoder``, from its comparisons; ``MEASURE: other seed``, from docs/seeds.md; ``MEASURE: study``, the
study's own value (`published.json`, which a test of its own compares with the reference tables). A row is a model.
"""

import math
import re
from collections.abc import Iterator
from pathlib import Path

from harness.dataset.phantom import PhantomDataset
from harness.report.study.published import published_values
from harness.subsets.facts import negated
from tests import repository

NONE = "–"
SUBSETS = {
    "all": ("All sentences", "all"),
    "abnormal": ("Abnormal sentences", "abnormal"),
    "one lung": ("One-lung sentences", "one_lung"),
    "most diverse": ("Most diverse reports", "most_diverse_report_bboxes"),
}
SWAP = "left ↔ right swapped"
FIGURES = {
    "AUROC": ({"{}, exact profile", "as written", "AUROC"}, ("none", "auroc")),
    "swap": ({"{}, exact profile, changes", SWAP, "AUROC"}, ("swap_left_right", "auroc")),
    "synthetic": ({"{}, exact profile, changes", "synthetic sentence", "AUROC"}, ("synthetic_sentences", "auroc")),
    "shuffled": ({"{}", "shuffled in report"}, ("shuffle_in_report", "auroc")),
    "random boxes": ({"{}", "random boxes"}, ("random_bboxes", "auroc")),
    "random sentence": ({"{}", "random sentence"}, ("random_sentences", "auroc")),
    "other condition": ({"{}", "synthetic, other condition"}, ("synthetic_swapped_conditions", "auroc")),
    "IoU 10 %": ({"{}", "IoU 10 %, report"}, ("none", "iou_at_10")),
    "entropy": ({"{}", "Entropy"}, ("none", "entropy")),
    "divergence": ({"{}", "KL, random sentence"}, ("random_sentences", "kl")),
    "match, local": ({"{}", "Match, local"}, ("random_sentences", "match_local")),
    "match, global": ({"{}", "Match, global"}, ("random_sentences", "match_global")),
}
"""What follows on a subset: where it stands on the page of the run, and its key in the study's tables."""
OTHERS = {
    "LRI": {"Does the map move to the side that is named?"},
    "above text-blind": {"Does it beat one map for all sentences?"},
    "above image-blind": {"Does it beat its own wording on other images?"},
    "above image-blind, same meaning": {"Does it beat its meaning on other images?"},
    "opt-out AUROC, random": {"Opt-out in full", "auroc"},
    "opt-out AUROC of word count": {"Opt-out in full", "auroc of word count"},
    "opt-out AUROC, negated": {"Opt-out in full", "auroc of negated"},
    "opt-out mass, own findings": {"Opt-out in full", "mass: own present"},
    "opt-out mass, random": {"Opt-out in full", "mass: random false"},
}
VARIANTS = {
    "GLoRIA, released": "gloria",
    "UNITER": "uniter",
    "encoder": "gloria_retrained",
    "encoder-word-masking": "word_masking",
    "encoder-clinical-masking": "clinical_masking",
    "encoder-optout": "no_attn",
    "encoder-abnormal": "abnormal",
    "encoder-few-shot": "few_shot_30",
    "encoder-rand-sents": "rand_sents",
}
VALUE = re.compile(r"[+\N{MINUS SIGN}]?\d+\.\d+ \[[^\]]+\]")
DECIMAL = re.compile(r"\d+\.\d+")


def read(path: str) -> str:
    """A page with one kind of blank, and numbers without any."""
    text = repository.read(Path(path)).replace("\N{NO-BREAK SPACE}", " ")
    return re.sub(r"(?<=\d)[\N{NARROW NO-BREAK SPACE},](?=\d{3}\b)", "", text)


def table_cells(text: str) -> Iterator[tuple[str, str, list[str], str]]:
    """(heading, column, the row's cells, cell) of every cell of every table."""
    heading, header = "", list[str]()
    for line in text.splitlines():
        heading = line.lstrip("# ") if line.startswith("#") else heading
        if not line.startswith("|"):
            header = []
            continue
        row = [cell.strip().replace("**", "") for cell in line.strip("|").split("|")]
        if header and not row[0].startswith(":"):
            yield from ((heading, column, row, cell) for column, cell in zip(header, row, strict=True))
        header = header or row


def measured() -> Iterator[tuple[str, set[str]]]:
    """Every value with an interval on the page of the run, and what is said of it: model, table, column, n …"""
    page = read("docs/phantom-results.md")
    for heading, column, row, cell in table_cells(page):
        value, _, count = cell.partition(" (n = ")
        if VALUE.fullmatch(value):
            yield value, {heading, column, *row, count.rstrip(")")}
    model = ""
    for line in page.replace("\\", "").splitlines():
        model = found[1] if (found := re.match(r"\*\*([\w-]+): ", line)) else model
        if found := re.match(rf"- (.*\?) .*?({VALUE.pattern}), n = (\d+)", line):
            yield found[2], {model, found[1], found[3]}


PAGE = read("docs/study-claims.md")
CELLS = [(column, row[0], cell) for _, column, row, cell in table_cells(PAGE) if cell not in {row[0], NONE}]
MEASURED = list(measured())
SEEDS = {(row[0], row[1], column): cell for _, column, row, cell in table_cells(read("docs/seeds.md"))}


def below(source: str) -> list[tuple[str, str, str, str]]:
    """(measure, model, cell, n) of the columns of one source."""
    form = re.compile(rf"(.+): {source}(?: \(n = (\d+)\))?")
    return [(m[1], model, cell, m[2] or "") for column, model, cell in CELLS if (m := form.fullmatch(column))]


def where(measure: str) -> set[str]:
    """What is said of a value of this measure on the page of the run."""
    figure, _, subset = measure.rpartition(", ")
    return OTHERS.get(measure) or {part.format(SUBSETS[subset][0]) for part in FIGURES[figure][0]}


def test_what_was_measured_here_stands_on_the_page_of_the_run() -> None:
    rows = below("here")
    for measure, model, cell, n in rows:
        assert VALUE.fullmatch(cell), cell
        assert n, measure
        needed = where(measure) | {model, n}
        assert [value for value, said in MEASURED if needed <= said] == [cell], (measure, model)
    assert len(rows) > 120


def test_differences_from_the_encoder_are_its_comparisons() -> None:
    rows = below("less encoder")
    for measure, model, cell, _ in rows:
        figure, subset = measure.rsplit(", ", 1)
        needed = {f"{model} less encoder", f"{figure}, {SUBSETS[subset][0].lower()}", "Difference [95 % interval]"}
        assert [value for value, said in MEASURED if needed <= said] == [cell], (measure, model)
    assert len(rows) == 2 * (len(VARIANTS) - 2), "two subsets, every model but the encoder itself"


def test_the_other_seed_is_that_of_the_page_of_seeds() -> None:
    rows = below("other seed")
    for measure, model, cell, _ in rows:
        assert SEEDS[(model, "1", measure)] == cell, (measure, model)
    assert len(rows) > 30


def test_the_studys_values_are_those_that_it_published() -> None:
    published = published_values()
    rows = below("study")
    for measure, model, cell, _ in rows:
        variant = VARIANTS[model]
        if measure == "intuitive, 1 to 5":
            assert float(cell) == published.ratings[variant]["intuitiveness"]
            continue
        figure, _, subset = measure.rpartition(", ")
        arm, metric = FIGURES[figure][1]
        key = (variant, arm, SUBSETS[subset][1], metric)
        values = [float(number.replace("\N{MINUS SIGN}", "-")) for number in cell.split(" → ")]
        expected = [published.values[key] if key in published.values else published.changes[key]]
        if figure == "synthetic":
            expected.insert(0, published.values[(variant, "none", SUBSETS[subset][1], metric)])
        assert values == expected, (measure, model)
    assert len(rows) > 80


def test_every_column_is_checked_and_no_interval_stands_elsewhere() -> None:
    checked = [below(source) for source in ("here", "less encoder", "other seed", "study")]
    assert sum(map(len, checked)) == len(CELLS)
    assert len(VALUE.findall(PAGE)) == sum(map(len, checked[:3]))


def test_every_decimal_of_the_text_is_one_of_the_tables_or_of_another_seed() -> None:
    text = "\n".join(line for line in PAGE.splitlines() if not line.startswith("|"))
    text = re.sub(r"\]\([^)]*\)", "]", text)
    known = {number for _, _, cell in CELLS for number in DECIMAL.findall(cell.partition(" [")[0])}
    others = [cell for (_, seed, _), cell in SEEDS.items() if seed in ("2", "3", "4")]
    known |= {number for cell in others for number in DECIMAL.findall(cell.partition(" [")[0])}
    known.add(f"{math.log(100):.3f}")  # the entropy of an even map on 10 x 10 cells
    found = DECIMAL.findall(text)
    assert len(found) > 40
    assert set(found) - known == set()


def test_so_many_one_lung_sentences_are_denials() -> None:
    images = PhantomDataset(seed=3, split="test", patients=400)
    one_lung = [sentence for image in images for sentence in image.sentences if sentence.lung_side is not None]
    denials = sum(negated(sentence) for sentence in one_lung)
    assert f"{denials} of these {len(one_lung)} sentences are denials" in " ".join(PAGE.split())
