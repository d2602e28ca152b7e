"""Maps made elsewhere, written as other programs write them."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from harness.case import ImageRecord
from harness.collect.plan import SharedImage, Shipment
from tests.harness_fakes import HEIGHT, WIDTH, fake_map

HEADS = ("dicom_sent_id", "dicom_id", "sent_id", "sentence", "bboxes")


def never() -> bytes:
    """The image of a request that must be answered without it."""
    raise AssertionError("no image is loaded for maps that were made elsewhere")


def shipment(*texts: str, image: str = "image0", model: str = "m") -> Shipment:
    """A request for maps of these texts on a fake image."""
    return Shipment("r", 0, image, model, texts, (WIDTH, HEIGHT), SharedImage(never, uses=1))


def write_table(folder: Path, rows: Iterable[Sequence[object]], heads: Sequence[str] = HEADS) -> Path:
    """`sentences.csv`, and an empty folder `attn`."""
    (folder / "attn").mkdir(parents=True, exist_ok=True)
    with (folder / "sentences.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(heads)
        writer.writerows(rows)
    return folder


def write_study(folder: Path, model: str, records: Iterable[ImageRecord]) -> Path:
    """The fake maps of a model for every sentence as written, in the layout of the study's outputs."""
    rows = []
    for record in records:
        for sentence in record.sentences:
            rows.append((f"dicom_{sentence.sentence_id}", record.image_id, sentence.sentence_id, sentence.text, "[]"))
    write_table(folder, rows)
    for record in records:
        for sentence in record.sentences:
            values = fake_map(model, record.load(), sentence.text)
            np.save(folder / "attn" / f"dicom_{sentence.sentence_id}.npy", values)
    return folder
