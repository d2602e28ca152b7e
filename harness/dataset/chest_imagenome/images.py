"""The radiographs of MIMIC-CXR (DICOM) and MIMIC-CXR-JPG: ``files/p10/p10000001/s50000001/<dicom>.dcm`` or ``.jpg``."""

import re
from pathlib import Path

from harness.dataset.checks import Unusable

_SUFFIXES = (".jpg", ".dcm")
_NUMBER = re.compile(r"[0-9]{2,12}")
_DICOM = re.compile(r"[0-9A-Za-z-]{1,64}")


class Radiographs:
    """Where the image of a patient's study lies."""

    def __init__(self, root: Path) -> None:
        """Look under `root`, the folder that holds `files/`, or `files` itself; a relative one is meant from here.

        Raises:
            FileNotFoundError: there is no such folder.
        """
        self._files = root / "files" if (root / "files").is_dir() else root
        if not self._files.is_dir():
            raise FileNotFoundError(f"no folder {root}: point dataset.images at a copy of MIMIC-CXR or MIMIC-CXR-JPG")
        self._files = self._files.absolute()

    def path(self, patient_id: str, study_id: str, dicom_id: str) -> Path:
        """The image's file; where both are there, the JPEG.

        Raises:
            Unusable: there is neither, or the ids cannot be those of MIMIC-CXR.
        """
        if not (_NUMBER.fullmatch(patient_id) and _NUMBER.fullmatch(study_id) and _DICOM.fullmatch(dicom_id)):
            message = "patient and study must be numbers, the image's id letters, digits and dashes"
            raise Unusable("bad_id", message)
        folder = self._files / f"p{patient_id[:2]}" / f"p{patient_id}" / f"s{study_id}"
        for suffix in _SUFFIXES:
            if (path := folder / f"{dicom_id}{suffix}").is_file():
                return path
        raise Unusable("image_missing", f"neither {dicom_id}.jpg nor {dicom_id}.dcm is in {folder}")
