"""DICOM: one grey frame, rescaled, windowed and turned the right way round, as a viewer shows it."""

import numpy as np
import numpy.typing as npt
import pydicom

from wronglung.images import dicom_frame, dicom_window
from wronglung.images.dicom_header import JPEG_2000, JPEG_LS, read_dataset, read_header
from wronglung.images.guard import corrupt_on_failure

# pydicom's warnings quote values, which may be a patient's.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE


def size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels. Rows and columns are those of the file: the patient's orientation is not applied."""
    header = read_header(data)
    return header.columns, header.rows


def is_isolated(data: bytes) -> bool:
    """Whether the pixels are decoded in a process of their own."""
    return read_header(data).transfer_syntax in JPEG_LS | JPEG_2000


def decode(data: bytes) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    """Decode to grey as a viewer shows it; see `wronglung.images.decode`."""
    header = read_header(data)
    with corrupt_on_failure("DICOM"):
        dataset = read_dataset(data)
        return dicom_window.show(dataset, dicom_frame.stored_bits(dataset, header), header)
