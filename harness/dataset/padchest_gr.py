"""PadChest-GR: findings in English and Spanish, with boxes of two readers in shares of the image.

A finding may name no box; then nothing is scored. Each of its `labels` is said of every box. It counts as abnormal if
`abnormal` says so, or, where the file does not say, if it has boxes and no label is "normal" or a device.
"""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from harness.dataset.base import Findings
from harness.dataset.checks import CopiedMaxima, Unusable, image_size, read_patients
from harness.dataset.config import PadchestGrConfig
from harness.dataset.document import Part, expect_list, parse_part, parse_parts, read_document
from harness.dataset.finding import is_abnormal
from harness.dataset.imagefiles import Patients, check_folder, find_image
from harness.dataset.line import NamedBox
from harness.dataset.phrases import Mark, Phrase, Phrases, Source, Xyxy, settled
from harness.dataset.readers import UNION, Agreement
from harness.dataset.records import RecordBuilder, RecordedDataset

NO_LABEL = "finding"
"""What boxes are called that have no label."""
Share = Annotated[float, Field(allow_inf_nan=False)]
Boxes = Annotated[tuple[Annotated[tuple[Share, Share, Share, Share], Field(strict=False)], ...], Field(strict=False)]


class Report(Part):
    """One entry of the file: an image with its findings."""

    StudyID: str
    ImageID: str
    findings: list[object]


class Finding(Part):
    """One sentence."""

    sentence_en: str | None = None
    sentence_es: str | None = None
    boxes: Boxes = ()
    extra_boxes: Boxes | None = None
    """Those of the second reader; None: there was none."""
    labels: tuple[str, ...] = Field(default=(), strict=False)
    abnormal: bool | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that is found, at least one."""
        return tuple(label for label in self.labels if label.strip()) or (NO_LABEL,)

    @property
    def states_disease(self) -> bool:
        """Whether something abnormal is there."""
        if self.abnormal is not None:
            return self.abnormal
        return bool(self.boxes or self.extra_boxes) and all(is_abnormal(label) for label in self.labels)


def open_padchest_gr(config: PadchestGrConfig) -> RecordedDataset:
    """Read and check `grounded_reports_*.json`.

    Raises:
        FileNotFoundError: there is no such file, or no folder of images.
        DatasetError: it is no JSON list, or cut off.
    """
    check_folder(config.images)
    findings = Findings()
    reader = _Reader(config, findings)
    entries = expect_list(read_document(config.path, findings), "", config.path)
    for where, report in parse_parts(Report, entries, "reports", findings):
        reader.read(report, where)
    return reader.dataset()


class _Reader:
    """Goes through the reports of one file."""

    def __init__(self, config: PadchestGrConfig, findings: Findings) -> None:
        self._config = config
        self._findings = findings
        self._patients = Patients(config.patients, findings)
        self._phrases = Phrases(findings)
        self._agreement = Agreement()
        self._copied_maxima = CopiedMaxima()
        self._sources: dict[str, Source] = {}

    def read(self, report: Report, where: str) -> None:
        """Add the findings of a report, or count why it has none."""
        image_id = report.ImageID
        if image_id in self._sources:
            self._findings.leave_out("image_id_repeated", where, f"ImageID {image_id!r} was used before")
            return
        path = find_image(self._config.images, [image_id])
        try:
            size = image_size(self._config.images / path)
        except Unusable as error:
            self._findings.leave_out(error.kind, where, f"{error} ({len(report.findings)} findings)")
            return
        self._sources[image_id] = Source(path, self._patients.of(image_id), report.StudyID)
        for i, value in enumerate(report.findings):
            here = f"{where}.findings[{i}]"
            finding = parse_part(Finding, value, here, self._findings)
            if finding is not None:
                self._add(finding, image_id, size, here)

    def _add(self, finding: Finding, image_id: str, size: tuple[int, int], where: str) -> None:
        phrase = self._phrases.phrase(
            image_id,
            (finding.sentence_en if self._config.language == "en" else finding.sentence_es) or "",
            where,
            finding=finding.names[0],
            abnormal=finding.states_disease,
        )
        with self._phrases.guard(phrase, where):
            self._place(finding, phrase, size)

    def _place(self, finding: Finding, phrase: Phrase, size: tuple[int, int]) -> None:
        for box in (*finding.boxes, *(finding.extra_boxes or ())):
            self._copied_maxima.see(NamedBox(name=phrase.finding, box_xyxy=box))
        first, second = (
            [in_pixels(box, *size) for box in boxes] for boxes in (finding.boxes, finding.extra_boxes or ())
        )
        if finding.extra_boxes is not None:
            self._agreement.see([first, second])
        chosen = {"first": first, "second": second, UNION: [*first, *second]}[self._config.reader]
        phrase.marks += [Mark((box, None), name, finding.states_disease) for box in chosen for name in finding.names]

    def dataset(self) -> RecordedDataset:
        """All that was read."""
        seen = read_patients(self._config.finetuned_patients)
        builder = RecordBuilder(self._config.images, self._findings, seen_patients=seen)
        self._phrases.add_to(builder, self._config.images, self._sources.__getitem__)
        self._copied_maxima.tell(self._findings, self._config.path.name)
        self._findings.notes.extend(self._agreement.notes(self._config.reader))
        self._patients.tell()
        name = f"padchest_gr:{self._config.language}"
        return RecordedDataset(name, builder.records(), self._findings)


def in_pixels(box: Sequence[float], width: int, height: int) -> Xyxy:
    """A box in shares of the image as pixels.

    Raises:
        Unusable: a share is outside [0, 1].
    """
    x0, y0, x1, y1 = box
    if min(box) < 0 or max(box) > 1:
        raise Unusable("box_outside_image", f"box {list(box)} is not in shares of the image, which lie in 0 … 1")
    return settled(x0 * width), settled(y0 * height), settled(x1 * width), settled(y1 * height)
