"""The phantom set in the layout of Chest ImaGenome, over folders of MIMIC-CXR and MIMIC-CXR-JPG.

The gold set and the silver test split are different patients of the phantoms' test split; silver train and valid come
from the phantoms' train and validation splits. Gold patients stand in no silver split, but every image has a scene
graph, as in the real set.

What the layout cannot carry: coordinates are whole pixels; of the strata only the view remains, in silver; there are no
second wordings; silver orders what a sentence says by region.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.case import Triple
from harness.dataset.chest_imagenome.gold import BOXES, SCALING, STATEMENTS
from harness.dataset.chest_imagenome.silver import SCENES, scene_path
from harness.dataset.chest_imagenome.splits import AVOID, COLUMNS, SPLITS
from harness.dataset.export.mimic_cxr import Archive, Filed, write_study
from harness.dataset.export.scene_graphs import SECTION, category, scene_graph
from harness.dataset.export.tables import write_table
from harness.dataset.export.whole_pixels import Square, whole
from harness.dataset.phantom import PhantomDataset

ROOT, JPEG_ROOT, DICOM_ROOT = "chest-imagenome", "mimic-cxr-jpg", "mimic-cxr"
SMALL = 224
STATEMENT_HEADING = (
    *("patient_id", "study_id", "image_id", "row_id", "section", "sentence", "bbox", "relation", "label_name"),
    *("categoryID", "context", "attribute", "coord224", "coord_original"),
)
BOX_HEADING = (
    *("image_id", "x1", "y1", "x2", "y2", "width", "height", "bbox_name", "annot_id"),
    *("original_x1", "original_x2", "original_y1", "original_y2", "original_width", "original_height"),
    *("annotator", "coord224", "coord_original"),
)
SCALING_HEADING = ("image_id", "top", "bottom", "left", "right", "ratio")


def write_phantoms(folder: Path, patients: int, seed: int) -> None:
    """Write a gold set and three silver splits of so many patients each into an empty folder."""
    root = folder / ROOT
    for path in (STATEMENTS.parent, SCENES, SPLITS):
        (root / path).mkdir(parents=True)
    sets = _sets(patients, seed)
    for filed in (filed for studies in sets.values() for filed in studies):
        write_study(filed, folder / JPEG_ROOT, folder / DICOM_ROOT)
        scene_path(root, filed.dicom_id).write_bytes(scene_graph(filed, SMALL))
    gold = sets.pop("gold")
    write_table(root / STATEMENTS, STATEMENT_HEADING, _statements(gold), delimiter="\t")
    write_table(root / BOXES, BOX_HEADING, _boxes(gold))
    write_table(root / SCALING, SCALING_HEADING, _scalings(gold))
    write_table(root / SPLITS / AVOID, COLUMNS, map(_listed, gold))
    for name, studies in sets.items():
        rows = ([number, *_listed(filed)] for number, filed in enumerate(studies))
        write_table(root / SPLITS / f"{name}.csv", ("", *COLUMNS), rows)


def _sets(patients: int, seed: int) -> dict[str, list[Filed]]:
    """Who is in which set; the gold ones come first and have the lowest numbers."""
    archive = Archive(seed)
    tested = list(PhantomDataset(seed, "test", 2 * patients))
    gold = set(list(dict.fromkeys(record.patient_id for record in tested))[:patients])
    return {
        "gold": [archive.file(record) for record in tested if record.patient_id in gold],
        "test": [archive.file(record) for record in tested if record.patient_id not in gold],
        "train": [archive.file(record) for record in PhantomDataset(seed, "train", patients)],
        "valid": [archive.file(record) for record in PhantomDataset(seed, "validation", patients)],
    }


def _listed(filed: Filed) -> Sequence[str]:
    path = f"{filed.folder}/{filed.dicom_id}.dcm"
    return filed.patient_id, filed.study_id, filed.dicom_id, path, filed.view


def _square(filed: Filed) -> Square:
    return Square(filed.record.width, filed.record.height, SMALL)


def _statements(studies: Iterable[Filed]) -> Iterator[Sequence[Any]]:
    """One row for each sentence, region and label."""
    for filed in studies:
        square = _square(filed)
        for number, sentence in enumerate(filed.record.sentences):
            corners = {box.name: whole(box) for box in sentence.boxes}
            row_id = f"{filed.study_id}|{number}"
            ids = filed.patient_id, filed.study_id, f"{filed.dicom_id}.dcm", row_id
            for triple in sentence.triples:
                box = corners[triple.region]
                coordinates = list(square.place(box)), list(box)
                yield *ids, SECTION, sentence.text, triple.region, 1, *_said(triple), *coordinates


def _said(triple: Triple) -> Sequence[str]:
    """Label, category, context and all three in one."""
    group, context = category(triple.label), "yes" if triple.context else "no"
    return triple.label, group, context, f"{group}|{context}|{triple.label}"


def _boxes(studies: Iterable[Filed]) -> Iterator[Sequence[Any]]:
    """One row for each named region of an image."""
    for filed in studies:
        square = _square(filed)
        for region in filed.record.regions:
            x1, y1, x2, y2 = box = whole(region)
            small = square.place(box)
            sizes = small[2] - small[0], small[3] - small[1]
            original = x1, x2, y1, y2, x2 - x1, y2 - y1
            image_id = f"{filed.dicom_id}.dcm"
            yield image_id, *small, *sizes, region.name, f"{image_id}_1", *original, "phantom", list(small), list(box)


def _scalings(studies: Iterable[Filed]) -> Iterator[Sequence[Any]]:
    for filed in studies:
        square = _square(filed)
        yield f"{filed.dicom_id}.dcm", *square.pads, square.ratio
