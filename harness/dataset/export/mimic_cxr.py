"""The folders of MIMIC-CXR and MIMIC-CXR-JPG: ``files/p10/p10000001/s50000001/``, and a report beside each study."""

import hashlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from harness.case import ImageRecord
from wronglung.images import decode

FIRST_PATIENT, FIRST_STUDY = 10_000_001, 50_000_001
_JPEG_QUALITY = 95
_OWN_ROOT = "2.25."
"""The root of UIDs that are made from a number."""


@dataclass(frozen=True, slots=True)
class Filed:
    """A phantom study under the ids of MIMIC-CXR."""

    record: ImageRecord
    patient_id: str
    study_id: str
    dicom_id: str

    @property
    def folder(self) -> str:
        """Where the study's images lie."""
        return f"files/p{self.patient_id[:2]}/p{self.patient_id}/s{self.study_id}"

    @property
    def view(self) -> str:
        """AP or PA."""
        return self.record.strata["view"]


class Archive:
    """Gives out ids: patients and studies are numbered in the order in which they come."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._patients: dict[str, int] = {}
        self._studies = 0

    def file(self, record: ImageRecord) -> Filed:
        """The next study."""
        patient = FIRST_PATIENT + self._patients.setdefault(record.patient_id, len(self._patients))
        study = FIRST_STUDY + self._studies
        self._studies += 1
        digest = hashlib.sha256(f"{self._seed} {record.image_id}".encode()).hexdigest()
        dicom_id = "-".join(digest[start : start + 8] for start in range(0, 40, 8))
        return Filed(record, str(patient), str(study), dicom_id)


def write_study(filed: Filed, jpeg_root: Path, dicom_root: Path) -> None:
    """Write the picture of a study as JPEG and as DICOM, and its report."""
    for root, data, suffix in ((jpeg_root, jpeg(filed.record), "jpg"), (dicom_root, dicom(filed), "dcm")):
        folder = root / filed.folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{filed.dicom_id}.{suffix}").write_bytes(data)
    report = "\n ".join(sentence.text for sentence in filed.record.sentences)
    text = f"{' ' * 33}FINAL REPORT\n FINDINGS:\n \n {report}\n"
    (dicom_root / filed.folder).with_suffix(".txt").write_text(text, encoding="utf-8", newline="\n")


def _grey(record: ImageRecord) -> npt.NDArray[np.uint8]:
    pixels = decode(record.load())
    if pixels.dtype != np.uint8:
        raise ValueError(f"expected a picture of 8 bits, got {pixels.dtype}")
    return pixels.astype(np.uint8, copy=False)


def jpeg(record: ImageRecord) -> bytes:
    """The picture of a study as JPEG, which changes its pixels a little."""
    buffer = BytesIO()
    Image.fromarray(_grey(record)).save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()


def _uid(*parts: str) -> str:
    return _OWN_ROOT + str(int(hashlib.sha256("|".join(parts).encode()).hexdigest()[:30], 16))


def dicom(filed: Filed) -> bytes:
    """The picture of a study as DICOM: one grey frame of 8 bits, not compressed, the pixels as they are."""
    from pydicom import dcmwrite  # takes long, and is needed by those alone who write DICOM
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian

    pixels = _grey(filed.record)
    rows, columns = pixels.shape
    image = Dataset()
    image.SOPClassUID = ComputedRadiographyImageStorage
    image.SOPInstanceUID = _uid("image", filed.dicom_id)
    image.StudyInstanceUID = _uid("study", filed.study_id)
    image.SeriesInstanceUID = _uid("series", filed.study_id)
    image.PatientID = filed.patient_id
    image.StudyID = filed.study_id
    image.Modality = "CR"
    image.ViewPosition = filed.view
    image.SamplesPerPixel = 1
    image.PhotometricInterpretation = "MONOCHROME2"
    image.Rows, image.Columns = rows, columns
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 8, 8, 7, 0
    data = pixels.tobytes()
    image.PixelData = data + b"\0" * (len(data) % 2)
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = BytesIO()
    dcmwrite(buffer, image, enforce_file_format=True)
    return buffer.getvalue()
