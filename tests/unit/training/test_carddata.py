"""A card counts the pictures that were learned from, and says which of them nobody took."""

from pathlib import Path

import pytest

from harness.dataset.config import JsonlConfig
from training.carddata import learned_from
from training.dataconfig import AnyData, FiledData, PhantomData

MINE = JsonlConfig(kind="jsonl", path=Path("mine.jsonl"))


@pytest.mark.parametrize(
    "data", [PhantomData(mirrored=True), FiledData(dataset=MINE, mirrored=True)], ids=["phantoms", "files"]
)
def test_mirror_images_are_part_of_the_count(data: AnyData) -> None:
    said = learned_from(data, 102, phantoms_alone=False)
    assert said.startswith("102 ")
    assert ", half of them mirror images with their words exchanged" in said


def test_without_them_every_picture_is_a_radiograph() -> None:
    assert learned_from(FiledData(dataset=MINE), 51, phantoms_alone=False) == "51 radiographs of the data set jsonl"
