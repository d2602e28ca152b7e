"""Any data set in COCO's layout: images, annotations and categories, with an optional `caption` or `label_text`.

An annotation's sentence is its `label_text`, else its `caption`, else made from the name of its category. Annotations
of one image with the same sentence belong together. Boxes are `[x, y, width, height]` in pixels. Images may name
`patient_id` and `study_id`, which COCO does not know. Segmentations are not read.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import Field

from harness.dataset.base import Findings
from harness.dataset.checks import Unusable, read_patients
from harness.dataset.config import CocoConfig
from harness.dataset.document import Part, expect_list, parse_parts, read_document
from harness.dataset.finding import finding_sentence, plain_name
from harness.dataset.imagefiles import Patients, check_folder, find_image
from harness.dataset.phrases import Phrase, Phrases, Source, from_sizes
from harness.dataset.records import RecordBuilder, RecordedDataset

NO_NAME = "region"
"""What a box is called that has a sentence and no category."""
Id = int | str
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Image(Part):
    """An entry of `images`; `path` is MS-CXR's."""

    id: Id
    file_name: str
    width: int | None = None
    height: int | None = None
    path: str | None = None
    patient_id: Id | None = None
    study_id: Id | None = None

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height, if both are told."""
        return None if self.width is None or self.height is None else (self.width, self.height)


class Category(Part):
    """An entry of `categories`."""

    id: Id
    name: str


class Annotation(Part):
    """An entry of `annotations`."""

    id: Id
    image_id: Id
    category_id: Id | None = None
    bbox: tuple[Finite, Finite, Finite, Finite] | None = Field(default=None, strict=False)
    caption: str | None = None
    label_text: str | None = None
    split: str | None = None


Entry = TypeVar("Entry", Image, Category, Annotation)


@dataclass(frozen=True, slots=True)
class Coco:
    """The parts of a file by their ids, each with where it stands. What is ambiguous is in none."""

    images: dict[Id, Image]
    categories: dict[Id, str]
    annotations: list[tuple[str, Annotation]]
    repeated: frozenset[Id]
    """Ids that several annotations have."""

    def category(self, annotation: Annotation) -> str:
        """The name of an annotation's category; empty if it has none."""
        return "" if annotation.category_id is None else self.categories.get(annotation.category_id, "")


def read_coco(path: Path, findings: Findings) -> Coco:
    """Read a file.

    Raises:
        FileNotFoundError: there is no such file.
        DatasetError: it is no JSON, cut off, or lacks one of the three lists.
    """
    document = read_document(path, findings)
    images = _parse(Image, document, "images", path, findings)
    categories = _parse(Category, document, "categories", path, findings)
    annotations = _parse(Annotation, document, "annotations", path, findings)
    return Coco(
        {image.id: image for image in _once(images, "image", findings)},
        {category.id: category.name for category in _once(categories, "category", findings)},
        annotations,
        frozenset(_repeated(annotations)),
    )


def _parse(model: type[Entry], document: object, key: str, path: Path, findings: Findings) -> list[tuple[str, Entry]]:
    return parse_parts(model, expect_list(document, key, path), key, findings)


def _repeated(entries: Iterable[tuple[str, Image | Category | Annotation]]) -> list[Id]:
    return [id for id, count in Counter(entry.id for _, entry in entries).items() if count > 1]


def _once(entries: Sequence[tuple[str, Entry]], what: str, findings: Findings) -> list[Entry]:
    """The entries whose id no other has: nobody can tell which of two is meant."""
    repeated = set(_repeated(entries))
    for where, entry in entries:
        if entry.id in repeated:
            findings.leave_out(f"{what}_id_repeated", where, f"{what} id {entry.id!r} stands twice")
    return [entry for _, entry in entries if entry.id not in repeated]


def open_coco(config: CocoConfig) -> RecordedDataset:
    """Read and check a file.

    Raises:
        FileNotFoundError: there is no such file, or no folder of images.
        DatasetError: it is no JSON, cut off, or lacks one of the three lists.
    """
    check_folder(config.images)
    findings = Findings()
    patients = Patients(config.patients, findings)
    coco = read_coco(config.path, findings)
    phrases = Phrases(findings)
    for where, annotation in coco.annotations:
        _gather(coco, where, annotation, phrases, findings)
    images = {str(image.id): image for image in coco.images.values()}

    def source(image_id: str) -> Source:
        image = images[image_id]
        patient = patients.of(image_id, "" if image.patient_id is None else str(image.patient_id))
        path = find_image(config.images, [image.file_name])
        study = image_id if image.study_id in (None, "") else str(image.study_id)
        return Source(path, patient, study, image.size)

    builder = RecordBuilder(config.images, findings, seen_patients=read_patients(config.finetuned_patients))
    phrases.add_to(builder, config.images, source)
    patients.tell()
    return RecordedDataset(f"coco:{config.path.stem}", builder.records(), findings)


def _gather(coco: Coco, where: str, annotation: Annotation, phrases: Phrases, findings: Findings) -> None:
    """Add an annotation to its sentence, or count why it has none."""
    image, name = coco.images.get(annotation.image_id), coco.category(annotation)
    text = annotation.label_text or annotation.caption
    if image is None:
        findings.leave_out("image_unknown", where, f"image_id {annotation.image_id!r} is not one of the images")
    elif not text and not plain_name(name):
        findings.leave_out("category_unknown", where, f"category_id {annotation.category_id!r} is not one, or unnamed")
    else:
        phrase = phrases.phrase(
            str(image.id),
            text or finding_sentence(name),
            where,
            finding=name or NO_NAME,
            abnormal=None if name else False,
        )
        add_box(coco, where, annotation, phrase, phrases)


def add_box(coco: Coco, where: str, annotation: Annotation, phrase: Phrase, phrases: Phrases) -> None:
    """Add an annotation's box, if it has one, to the sentence that it belongs to."""
    if annotation.id in coco.repeated:
        message = f"annotation id {annotation.id!r} stands twice"
        phrases.spoil(phrase, where, Unusable("annotation_id_repeated", message))
    elif annotation.bbox is not None:
        phrases.add_place(phrase, (from_sizes(*annotation.bbox), None), where, coco.category(annotation))
