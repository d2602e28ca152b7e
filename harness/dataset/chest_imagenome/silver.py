"""Chest ImaGenome, silver: scene graphs made automatically from some 240,000 images and their reports.

Read as a stream: opening a split reads every scene graph once, to check and to count, and keeps a line of ids for each
image; each pass over the images reads the graphs anew. Unpack ``scene_graph.zip`` first.
"""

import math
from collections.abc import Iterator
from pathlib import Path

from harness.case import ImageRecord
from harness.dataset.base import DatasetError, Findings, digest_records
from harness.dataset.checks import CopiedMaxima, Unusable, note_patients_left_out, read_patients
from harness.dataset.chest_imagenome import edges
from harness.dataset.chest_imagenome.images import Radiographs
from harness.dataset.chest_imagenome.scene import SceneGraph, read_scene
from harness.dataset.chest_imagenome.splits import TRAINED_BEFORE, Listed, gold_patients, read_split, trained_patients
from harness.dataset.chest_imagenome.statements import Told, read_attribute
from harness.dataset.config import ChestImagenomeSilverConfig
from harness.dataset.line import NamedBox
from harness.dataset.records import RecordBuilder

SCENES = Path("silver_dataset/scene_graph")


def scene_path(root: Path, dicom_id: str) -> Path:
    """The file of an image's scene graph."""
    return root / SCENES / f"{dicom_id}_SceneGraph.json"


class SilverDataset:
    """One split of the silver set, without the patients of the gold set and of the splits that models train on."""

    def __init__(self, config: ChestImagenomeSilverConfig) -> None:
        """Check every scene graph of the split.

        Raises:
            FileNotFoundError: a file of the splits, the scene graphs or the folder of images are not there.
            DatasetError: a table lacks a column, or is packed and cut off.
        """
        self.name = f"chest_imagenome_silver:{config.split}"
        self.findings = Findings()
        if not (config.root / SCENES).is_dir():
            raise FileNotFoundError(f"no folder {config.root / SCENES}: unpack scene_graph.zip there")
        self._reader = _Reader(config)
        self._index: list[Listed] = []
        self.digest = digest_records(self._check(_listed(config, self.findings)))

    def __len__(self) -> int:
        return len(self._index)

    def __iter__(self) -> Iterator[ImageRecord]:
        for listed in self._index:
            record = self._reader.read(listed, Findings(), CopiedMaxima())
            if record is None:
                raise DatasetError(f"the scene graph or the image of {listed.dicom_id} changed while it was being read")
            yield record

    def _check(self, listed: Iterator[Listed]) -> Iterator[ImageRecord]:
        """Read everything once; what can be used goes into the index."""
        copied_maxima, met = CopiedMaxima(), set[str]()
        for image in listed:
            if image.patient_id in self._reader.seen:
                met.add(image.patient_id)
            record = self._reader.read(image, self.findings, copied_maxima)
            if record:
                self._index.append(image)
                yield record
        copied_maxima.tell(self.findings, str(SCENES))
        note_patients_left_out(self._reader.seen, met, self.findings)


def _listed(config: ChestImagenomeSilverConfig, findings: Findings) -> Iterator[Listed]:
    """The images of the split, each once, of patients that are in no other set."""
    root, before = config.root, TRAINED_BEFORE[config.split]
    gold = gold_patients(root, findings)
    trained = trained_patients(root, before, gold, findings)
    seen: set[str] = set()
    for listed in read_split(root, f"{config.split}.csv", findings):
        if listed.dicom_id in seen:
            findings.leave_out("image_id_repeated", listed.where, f"image {listed.dicom_id!r} is listed twice")
        elif listed.patient_id in gold:
            findings.leave_out("patient_in_gold_set", listed.where, f"patient {listed.patient_id!r} is in the gold set")
        elif listed.patient_id in trained:
            message = f"patient {listed.patient_id!r} is also in {' or '.join(f'{name}.csv' for name in before)}"
            findings.leave_out("patient_in_both_sets", listed.where, message)
        else:
            seen.add(listed.dicom_id)
            yield listed


class _Reader:
    """Reads one image with its sentences."""

    def __init__(self, config: ChestImagenomeSilverConfig) -> None:
        self._root = config.root
        self._radiographs = Radiographs(config.images)
        self.seen = read_patients(config.finetuned_patients)
        self._prepare = edges.clip if config.clip_boxes else edges.leave

    def read(self, listed: Listed, findings: Findings, copied_maxima: CopiedMaxima) -> ImageRecord | None:
        """The record of an image; None when nothing of it can be used. What is left out is counted."""
        try:
            path = self._radiographs.path(listed.patient_id, listed.study_id, listed.dicom_id)
            scene = read_scene(scene_path(self._root, listed.dicom_id))
            scene.check_image(path)
            sentences = _gather(listed, scene)
            regions = tuple(NamedBox(name=o.bbox_name, box_xyxy=o.corners) for o in scene.objects)
        except Unusable as error:
            findings.leave_out(error.kind, listed.where, str(error))
            return None
        builder = RecordBuilder(self._root, findings, seen_patients=self.seen, copied_maxima=copied_maxima)
        for told in sentences:
            try:
                builder.add(self._prepare(told.line(str(path), regions), told.where, findings), told.where)
            except Unusable as error:
                findings.leave_out(error.kind, told.where, str(error))
        return next(iter(builder.records()), None)


def _gather(listed: Listed, scene: SceneGraph) -> list[Told]:
    """The sentences of a scene graph in the order of the report; what is wrong with one is noted in its `fault`."""
    objects = scene.objects_by_id()
    found: dict[str, Told] = {}
    for region in scene.attributes:
        for row_id, text, section, attributes in region.sentences():
            where = f"{listed.dicom_id} sentence {row_id}"
            strata = {"section": section, "view": listed.view}
            fresh = Told(where, listed.patient_id, listed.study_id, listed.dicom_id, row_id, text, strata)
            told = found.setdefault(row_id, fresh)
            try:
                if told.text != text:
                    raise Unusable("sentence_contradicts", "two texts have this id")
                if region.object_id not in objects:
                    raise Unusable("region_without_box", f"no box for region {region.bbox_name!r}")
                corners = objects[region.object_id].corners
                for label, context in map(read_attribute, attributes):
                    told.add(region.bbox_name, corners, label, context)
                if not attributes:
                    told.add(region.bbox_name, corners, "", True)
            except Unusable as error:
                told.spoil(error)
    return sorted(found.values(), key=_number)


def _number(told: Told) -> float:
    """The sentence's place in the report; those without a number keep their order, at the end."""
    number = told.row_id.rpartition("|")[2]
    return float(number) if number.isdecimal() else math.inf
