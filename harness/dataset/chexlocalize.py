"""CheXlocalize: masks of pathologies on CheXpert's images; sentences are made from the pathologies' names.

The key of an image is `patient64622_study1_view1_frontal`; the image lies where CheXpert puts it,
`patient64622/study1/view1_frontal.jpg`, or under the name of the key. A mask in which nothing is drawn says that the
pathology is not there.
"""

import re
from pathlib import Path

from harness.dataset.base import DatasetError, Findings
from harness.dataset.checks import Unusable, image_size, read_patients
from harness.dataset.config import ChexlocalizeConfig
from harness.dataset.document import Part, parse_part, read_document
from harness.dataset.finding import Place, finding_sentence
from harness.dataset.imagefiles import Patients, check_folder, find_image
from harness.dataset.line import Lattice
from harness.dataset.phrases import Phrases, Source
from harness.dataset.records import RecordBuilder, RecordedDataset
from harness.mask import BoxMask, MaskError, cut_to_content, decode

_KEY = re.compile(r"(patient[^_]+)_(study[^_]+)_(.+)")


class Encoded(Part):
    """One mask, over the whole image."""

    size: list[int]
    """Rows and columns."""
    counts: str


def open_chexlocalize(config: ChexlocalizeConfig) -> RecordedDataset:
    """Read and check `gt_segmentations_val.json` or `gt_segmentations_test.json`.

    Raises:
        FileNotFoundError: there is no such file, or no folder of images.
        DatasetError: it is no JSON object, or cut off.
    """
    check_folder(config.images)
    findings = Findings()
    patients = Patients(config.patients, findings)
    document = read_document(config.path, findings)
    if not isinstance(document, dict):
        raise DatasetError(f"{config.path} must hold an object with a key for each image")
    phrases, sources = Phrases(findings), dict[str, Source]()
    for image_id, pathologies in document.items():
        sources[image_id] = _source(image_id, config.images, patients)
        _gather(image_id, pathologies, config.images / sources[image_id].path, phrases, findings)
    builder = RecordBuilder(config.images, findings, seen_patients=read_patients(config.finetuned_patients))
    phrases.add_to(builder, config.images, sources.__getitem__)
    patients.tell()
    return RecordedDataset(f"chexlocalize:{config.path.stem}", builder.records(), findings)


def _source(image_id: str, root: Path, patients: Patients) -> Source:
    match = _KEY.fullmatch(image_id)
    patient, study, view = match.groups() if match else ("", "", "")
    names = [f"{patient}/{study}/{view}", image_id] if match else [image_id]
    return Source(find_image(root, names), patients.of(image_id, patient), f"{patient}_{study}" if match else image_id)


def _gather(image_id: str, pathologies: object, path: Path, phrases: Phrases, findings: Findings) -> None:
    if not isinstance(pathologies, dict):
        findings.leave_out("bad_entry", image_id, "must hold an object with a key for each pathology")
        return
    try:
        width, height = image_size(path)
    except Unusable as error:
        findings.leave_out(error.kind, image_id, f"{error} ({len(pathologies)} pathologies)")
        return
    for name, value in pathologies.items():
        where = f"{image_id}.{name}"
        encoded = parse_part(Encoded, value, where, findings)
        if encoded is None:
            continue
        phrase = phrases.phrase(image_id, finding_sentence(name), where, finding=name)
        with phrases.guard(phrase, where):
            place = _place(encoded, width, height)
            if place is None:
                phrase.spoiled = True  # not there: no fault, and nothing to point at
            else:
                phrases.add_place(phrase, place, where)


def _place(encoded: Encoded, width: int, height: int) -> Place | None:
    """The mask cut to its content; None if nothing is drawn.

    Raises:
        Unusable: the mask is damaged, or of another size than its image.
    """
    if encoded.size != [height, width]:
        message = f"the mask has {encoded.size} rows and columns, the image has {[height, width]}"
        raise Unusable("mask_size_contradicts", message)
    try:
        found = cut_to_content(decode(BoxMask(height, width, encoded.counts)))
    except MaskError as error:
        raise Unusable("mask_damaged", str(error)) from error
    if found is None:
        return None
    box, mask = found
    return box, Lattice(rows=mask.rows, cols=mask.cols, counts=mask.counts)
