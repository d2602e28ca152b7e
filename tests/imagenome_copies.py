"""Copies of Chest ImaGenome made from phantoms, and the phantoms as they must be read back."""

import dataclasses

from harness.case import Box
from harness.dataset.base import Dataset
from harness.dataset.chest_imagenome.gold import open_gold
from harness.dataset.chest_imagenome.silver import SilverDataset
from harness.dataset.config import ChestImagenomeGoldConfig, ChestImagenomeSilverConfig
from harness.dataset.export.catalogue import export
from harness.dataset.export.chest_imagenome import DICOM_ROOT, JPEG_ROOT, ROOT
from harness.dataset.export.whole_pixels import whole
from harness.dataset.phantom import PhantomDataset

PATIENTS, SEED = 3, 1


def write_copy(folder):
    """A whole copy in a new folder."""
    export("chest_imagenome", folder, patients=PATIENTS, seed=SEED)
    return folder


def read_gold(folder, images=JPEG_ROOT, **settings):
    """The gold set of a copy."""
    tree = {"kind": "chest_imagenome_gold", "root": folder / ROOT, "images": folder / images}
    return open_gold(ChestImagenomeGoldConfig.model_validate(tree | settings))


def read_silver(folder, images=DICOM_ROOT, **settings):
    """A split of the silver set of a copy."""
    tree = {"kind": "chest_imagenome_silver", "root": folder / ROOT, "images": folder / images}
    return SilverDataset(ChestImagenomeSilverConfig.model_validate(tree | settings))


def phantoms(name):
    """The records that were written as a part of the copy."""
    if name in ("train", "valid"):
        return list(PhantomDataset(SEED, {"train": "train", "valid": "validation"}[name], PATIENTS))
    gold = list(PhantomDataset(SEED, "test", PATIENTS))
    both = list(PhantomDataset(SEED, "test", 2 * PATIENTS))
    return gold if name == "gold" else both[len(gold) :]


def in_whole_pixels(record):
    """A record with its boxes in whole pixels."""

    def rounded(boxes):
        return tuple(Box(box.name, *map(float, whole(box))) for box in boxes)

    sentences = tuple(dataclasses.replace(s, boxes=rounded(s.boxes)) for s in record.sentences)
    return dataclasses.replace(record, regions=rounded(record.regions), sentences=sentences)


def under_the_ids_of(record, other, **strata):
    """A record with the ids of another one and of its sentences, no second wordings, and the strata that are kept."""
    sentences = tuple(
        dataclasses.replace(s, sentence_id=o.sentence_id, strata={"section": "finalreport", **strata}, paraphrase="")
        for s, o in zip(record.sentences, other.sentences, strict=True)
    )
    ids = {name: getattr(other, name) for name in ("image_id", "patient_id", "study_id")}
    return dataclasses.replace(record, sentences=sentences, strata={}, **ids)


class Records:
    """A data set of given records."""

    def __init__(self, records):
        self.name, self.digest, self.records = "given", "0" * 64, list(records)

    def __iter__(self):
        return iter(self.records)

    def __len__(self):
        return len(self.records)


assert isinstance(Records([]), Dataset)
