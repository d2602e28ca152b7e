"""VinDr-CXR: boxes with class names, one row per reader and box; sentences are made from the class names.

The boxes of all readers of an image count together, or those of one. Rows without a box ("No finding") say that a
reader saw the image. The test set's file has no `rad_id`: its boxes are the readers' consensus.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from harness.dataset.base import DatasetError, Findings
from harness.dataset.checks import Unusable, read_patients
from harness.dataset.config import VindrCxrConfig
from harness.dataset.files import Row, read_table
from harness.dataset.finding import finding_sentence, plain_name
from harness.dataset.imagefiles import Patients, check_folder, find_image
from harness.dataset.phrases import Mark, Phrases, Source, Xyxy, number
from harness.dataset.readers import UNION, Agreement
from harness.dataset.records import RecordBuilder, RecordedDataset

CORNERS = ("x_min", "y_min", "x_max", "y_max")
COLUMNS = ("image_id", "class_name", *CORNERS)
CONSENSUS = "consensus"
"""The reader of a file without `rad_id`."""
NO_FINDING = "no finding"

Marks = dict[str, list[Xyxy]]
"""Class name → boxes."""


@dataclass(slots=True)
class _Study:
    """What each reader of an image marked; an empty dictionary for one who saw nothing."""

    marks: dict[str, Marks] = field(default_factory=dict)

    def by_class(self) -> Iterator[list[list[Xyxy]]]:
        """For each class that anyone marked, the boxes of every reader."""
        for name in dict.fromkeys(name for marks in self.marks.values() for name in marks):
            yield [marks.get(name, []) for marks in self.marks.values()]


def open_vindr_cxr(config: VindrCxrConfig) -> RecordedDataset:
    """Read and check `annotations_train.csv` or `annotations_test.csv`.

    Raises:
        FileNotFoundError: there is no such file, or no folder of images.
        DatasetError: a column is missing, the file is cut off, or no reader has the id that is asked for.
    """
    check_folder(config.images)
    findings = Findings()
    patients = Patients(config.patients, findings)
    phrases, studies = Phrases(findings), dict[str, _Study]()
    for row in read_table(config.path, COLUMNS, findings):
        _gather(row, config.reader, phrases, studies, findings)
    _check_reader(config, studies)

    def source(image_id: str) -> Source:
        return Source(find_image(config.images, [image_id]), patients.of(image_id), image_id)

    builder = RecordBuilder(config.images, findings, seen_patients=read_patients(config.finetuned_patients))
    phrases.add_to(builder, config.images, source)
    findings.notes.extend(_notes(config.reader, studies))
    patients.tell()
    return RecordedDataset(f"vindr_cxr:{config.path.stem}", builder.records(), findings)


def _gather(row: Row, reader: str, phrases: Phrases, studies: dict[str, _Study], findings: Findings) -> None:
    who, name = row.values.get("rad_id") or CONSENSUS, row["class_name"]
    marks = studies.setdefault(row["image_id"], _Study()).marks.setdefault(who, {})
    if plain_name(name) == NO_FINDING:
        if any(row[column].strip() for column in CORNERS):
            findings.leave_out("box_of_no_finding", row.where, f"{name!r} has a box: nothing can be in it")
        return
    phrase = None
    if reader in (UNION, who):
        phrase = phrases.phrase(row["image_id"], finding_sentence(name), row.where, finding=name)
    try:
        box = _box(row.values)
    except Unusable as error:
        findings.leave_out(error.kind, row.where, str(error))
        if phrase is not None:
            phrase.spoiled = True
        return
    if box in marks.setdefault(name, []):
        findings.warn("box_repeated", row.where, "the same box of the same reader and class was read before")
        return
    marks[name].append(box)
    if phrase is not None:
        phrase.marks.append(Mark((box, None), phrase.finding, phrase.abnormal))


def _box(values: Mapping[str, str]) -> Xyxy:
    x0, y0, x1, y1 = (number(values, column) for column in CORNERS)
    return x0, y0, x1, y1


def _check_reader(config: VindrCxrConfig, studies: Mapping[str, _Study]) -> None:
    readers = sorted({reader for study in studies.values() for reader in study.marks})
    if config.reader not in (UNION, *readers):
        raise DatasetError(f"no reader {config.reader!r} in {config.path}; it has: {', '.join(readers) or 'none'}")


def _notes(reader: str, studies: Mapping[str, _Study]) -> Iterator[str]:
    agreement = Agreement()
    for study in studies.values():
        for boxes in study.by_class():
            agreement.see(boxes)
    yield from agreement.notes(reader)
    nothing = sum(not any(marks for marks in study.marks.values()) for study in studies.values())
    if nothing:
        yield f"{nothing} images without any finding are not evaluated: there is nothing to point at"
