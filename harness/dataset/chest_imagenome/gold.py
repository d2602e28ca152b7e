"""Chest ImaGenome, gold: what annotators say of 500 reports, tied to boxes that annotators drew.

Statements and their boxes come from ``gold_object_attribute_with_coordinates.txt`` (one row for each sentence, region
and label; `coord_original` is in pixels of the radiograph), the other named boxes of an image from
``gold_bbox_coordinate_annotations_1000images.csv``, whose columns stand in the order x1, x2, y1, y2.
"""

from collections.abc import Iterable, Mapping, Set
from pathlib import Path

from harness.dataset.base import Findings
from harness.dataset.checks import Unusable, read_patients
from harness.dataset.chest_imagenome import edges
from harness.dataset.chest_imagenome.images import Radiographs
from harness.dataset.chest_imagenome.scaling import Scaling, read_scaling
from harness.dataset.chest_imagenome.splits import SPLITS, gold_patients, trained_patients
from harness.dataset.chest_imagenome.statements import Told, read_context, read_corners
from harness.dataset.config import ChestImagenomeGoldConfig
from harness.dataset.files import Row, read_rows, read_table
from harness.dataset.line import NamedBox
from harness.dataset.records import RecordBuilder, RecordedDataset

FOLDER = Path("gold_dataset")
STATEMENTS = FOLDER / "gold_object_attribute_with_coordinates.txt"
BOXES = FOLDER / "gold_bbox_coordinate_annotations_1000images.csv"
SCALING = FOLDER / "gold_bbox_scaling_factors_original_to_224x224.csv"
STATEMENT_COLUMNS = (
    *("patient_id", "study_id", "image_id", "row_id", "section", "sentence", "bbox", "relation", "label_name"),
    *("context", "coord224", "coord_original"),
)
BOX_COLUMNS = ("image_id", "bbox_name", "original_x1", "original_x2", "original_y1", "original_y2")


def open_gold(config: ChestImagenomeGoldConfig) -> RecordedDataset:
    """Read and check the gold set.

    Patients that a model trained on the silver splits has seen are left out, as are `finetuned_patients`.

    Raises:
        FileNotFoundError: a table or the folder of images is not there.
        DatasetError: a table lacks a column, or is packed and cut off.
    """
    if not (config.root / FOLDER).is_dir():
        raise FileNotFoundError(f"no folder {config.root / FOLDER}: point dataset.root at the folder that holds it")
    findings = Findings()
    radiographs = Radiographs(config.images)
    seen = read_patients(config.finetuned_patients) | _trained_on(config.root, findings)
    builder = RecordBuilder(config.images, findings, seen_patients=seen)
    prepare = edges.clip if config.clip_boxes else edges.leave
    scalings = read_scaling(config.root / SCALING, findings)
    sentences = _Statements(config.root / STATEMENTS, scalings, findings).read()
    regions = _regions(config.root, {told.dicom_id for told in sentences}, findings)
    _compare(sentences, regions, findings)
    for told in sentences:
        try:
            path = radiographs.path(told.patient_id, told.study_id, told.dicom_id)
            if told.dicom_id in scalings:
                scalings[told.dicom_id].check_image(path)
            line = told.line(str(path), regions.get(told.dicom_id, {}).values())
            builder.add(prepare(line, told.where, findings), told.where)
        except Unusable as error:
            findings.leave_out(error.kind, told.where, str(error))
    return RecordedDataset("chest_imagenome_gold", builder.records(), findings)


def _trained_on(root: Path, findings: Findings) -> frozenset[str]:
    if not (root / SPLITS).is_dir():
        findings.warn("splits_missing", str(SPLITS), "not there: nobody can tell whether a model has seen a patient")
        return frozenset()
    return trained_patients(root, ("train", "valid"), gold_patients(root, findings), findings)


class _Statements:
    """Gathers rows into sentences, in order of first mention."""

    def __init__(self, path: Path, scalings: Mapping[str, Scaling], findings: Findings) -> None:
        self._path = path
        self._scalings = scalings
        self._findings = findings
        self._told: dict[tuple[str, str], Told] = {}

    def read(self) -> list[Told]:
        """All sentences; what is wrong with one is noted in its `fault`."""
        last: Told | None = None
        doubt = False
        for row in read_rows(self._path, STATEMENT_COLUMNS, self._findings, delimiter="\t"):
            told = self._sentence(row)
            if told is None:  # it has lost its ids: it may belong to the sentence before it or to the one after
                if last:
                    last.spoil(_incomplete())
                doubt = True
                continue
            if doubt or row.fault:
                told.spoil(_incomplete())
            if not row.fault:
                self._add(row, told)
            last, doubt = told, False
        return list(self._told.values())

    def _sentence(self, row: Row) -> Told | None:
        """The sentence that a row belongs to; None where the row does not say."""
        image_id, row_id = row.values.get("image_id", ""), row.values.get("row_id", "")
        if not (image_id and row_id):
            if not row.fault:
                self._findings.leave_out("value_missing", row.where, "image_id or row_id is empty")
            return None
        key = image_id.removesuffix(".dcm"), row_id
        patient_id, study_id, text = (row.values.get(name, "") for name in ("patient_id", "study_id", "sentence"))
        if key not in self._told:
            strata = {"section": row.values.get("section", "")}
            self._told[key] = Told(row.where, patient_id, study_id, *key, text, strata)
        told = self._told[key]
        if (told.patient_id, told.study_id, told.text) != (patient_id, study_id, text):
            told.spoil(Unusable("sentence_contradicts", f"{row.where} gives it another patient, study or text"))
        return told

    def _add(self, row: Row, told: Told) -> None:
        """Note what a row says, or why its sentence must be left out."""
        try:
            if not _is_one(row["relation"]):
                self._findings.leave_out("relation_not_1", row.where, "the annotators do not confirm the statement")
                return
            if not (row["bbox"] and row["label_name"]):
                raise Unusable("value_missing", f"{row.where}: bbox or label_name is empty")
            corners = read_corners(row["coord_original"])
            told.add(row["bbox"], corners, row["label_name"], read_context(row["context"]))
            scaling = self._scalings.get(told.dicom_id)
            if scaling and not scaling.agree(read_corners(row["coord224"]), corners):
                message = "coord224 is not coord_original at the scale of its image"
                self._findings.warn("coord224_differs", row.where, message)
        except Unusable as error:
            told.spoil(error)


def _incomplete() -> Unusable:
    return Unusable("sentence_incomplete", "another row of this sentence cannot be read")


def _is_one(text: str) -> bool:
    try:
        return float(text) == 1
    except ValueError:
        return False


def _regions(root: Path, images: Set[str], findings: Findings) -> dict[str, dict[str, NamedBox]]:
    """All named boxes of these images: by image, then by name."""
    found: dict[str, dict[str, NamedBox]] = {}
    for row in read_table(root / BOXES, BOX_COLUMNS, findings):
        image_id, name = row["image_id"].removesuffix(".dcm"), row["bbox_name"]
        if image_id not in images:
            continue
        try:
            box = _region(row, name)
        except Unusable as error:
            findings.leave_out(f"region_{error.kind}", row.where, str(error))
            continue
        known = found.setdefault(image_id, {}).setdefault(name, box)
        if known is not box:
            findings.leave_out("region_repeated", row.where, f"region {name!r} has a box already")
    return found


def _region(row: Row, name: str) -> NamedBox:
    """By the columns' names, as they stand in another order than a box's corners."""
    if not name:
        raise Unusable("value_missing", "bbox_name is empty")
    x1, y1, x2, y2 = (row[f"original_{corner}"] for corner in ("x1", "y1", "x2", "y2"))
    return NamedBox(name=name, box_xyxy=read_corners(f"[{x1}, {y1}, {x2}, {y2}]"))


def _compare(sentences: Iterable[Told], regions: dict[str, dict[str, NamedBox]], findings: Findings) -> None:
    """Both tables must give a region the same box."""
    for told in sentences:
        for box in told.boxes:
            drawn = regions.get(told.dicom_id, {}).get(box.name)
            if drawn and drawn.box_xyxy != box.box_xyxy:
                message = f"region {box.name!r} has another box in {BOXES.name}"
                findings.warn("box_differs", told.where, message)
