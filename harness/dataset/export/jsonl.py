"""The phantom set as JSONL with PNG images. Nothing is lost but that an image's strata become its sentences'."""

from pathlib import Path
from typing import Any

from harness.case import Box, ImageRecord, Sentence
from harness.dataset.base import Dataset
from harness.dataset.line import Lattice, Line, NamedBox, SentenceBox
from harness.dataset.phantom import PhantomDataset

FILE = "data.jsonl"


def write_phantoms(folder: Path, patients: int, seed: int) -> None:
    """Write the phantoms of the test split into an empty folder."""
    write_jsonl(PhantomDataset(seed, "test", patients), folder)


def write_jsonl(dataset: Dataset, folder: Path) -> None:
    """Write any data set whose images are PNG into an empty folder."""
    (folder / "images").mkdir()
    with (folder / FILE).open("w", encoding="utf-8", newline="\n") as file:
        for record in dataset:
            (folder / _image(record)).write_bytes(record.load())
            for number, sentence in enumerate(record.sentences):
                regions = record.regions if number == 0 else ()
                file.write(_line(record, sentence, regions).model_dump_json(exclude_none=True) + "\n")


def _image(record: ImageRecord) -> str:
    return f"images/{record.image_id}.png"


def _line(record: ImageRecord, sentence: Sentence, regions: tuple[Box, ...]) -> Line:
    return Line(
        image=_image(record),
        image_id=record.image_id,
        patient_id=record.patient_id,
        study_id=record.study_id,
        sentence_id=sentence.sentence_id,
        sentence=sentence.text,
        paraphrase=sentence.paraphrase,
        boxes=tuple(sentence_boxes(sentence)),
        regions=tuple(NamedBox(name=box.name, **_place(box)) for box in regions),
        negated=sentence.negated,
        strata={**record.strata, **sentence.strata},
    )


def sentence_boxes(sentence: Sentence) -> list[SentenceBox]:
    """Each box once for each thing that is said of it, in order; a box of which nothing is said, without a label."""
    said = [
        SentenceBox(name=box.name, label=triple.label, context=triple.context, **_place(box))
        for triple in sentence.triples
        for box in sentence.boxes
        if box.name == triple.region
    ]
    spoken_of = {triple.region for triple in sentence.triples}
    return said + [SentenceBox(name=box.name, **_place(box)) for box in sentence.boxes if box.name not in spoken_of]


def _place(box: Box) -> dict[str, Any]:
    mask = box.mask and Lattice(rows=box.mask.rows, cols=box.mask.cols, counts=box.mask.counts)
    return {"box_xyxy": box.xyxy, "mask": mask}
