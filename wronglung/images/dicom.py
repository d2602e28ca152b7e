"""DICOM, by pydicom: one grey frame, through the modality and the value-of-interest transform, as it is displayed."""

import io
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom import Dataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

from wronglung.errors import ImageCorrupt, ImageFormatUnsupported, ImageTooManyPixels
from wronglung.limits import LIMITS

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
Values = npt.NDArray[Any]

# A deflated data set is inflated whole before its header can be read: there is no limit to hold it against.
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_GREY = {"MONOCHROME1", "MONOCHROME2"}

# pydicom's warnings quote values, which may be a patient's.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE


def header_size(data: bytes) -> tuple[int, int]:
    """(width, height) by the tags Rows and Columns.

    Raises:
        ImageFormatUnsupported: deflated, colour, several frames, or without pixel data.
        ImageCorrupt: the header is damaged.
    """
    dataset = _read(data, pixels=False)
    return int(dataset.Columns), int(dataset.Rows)


def decode(data: bytes) -> Pixels:
    """(height, width) pixels as displayed: uint8 for up to 8 stored bits, else uint16 over its full range.

    Values of interest: the file's LUT or first window; without one, 8-bit values stand as they are and deeper ones
    are stretched from their minimum to their maximum, padding values apart. MONOCHROME1 is inverted.

    Raises:
        ImageFormatUnsupported: as `header_size`, or a compression that no decoder knows.
        ImageCorrupt: the pixel data is damaged, or its size contradicts the header.
    """
    dataset = _read(data, pixels=True)
    stored = _stored_values(dataset)
    try:
        unit = _to_unit(stored, dataset)
    except Exception as error:  # pydicom raises whatever a lying tag provokes
        raise ImageCorrupt(
            "the DICOM window or look-up table cannot be applied: check its tags", field="image"
        ) from error
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        unit = 1.0 - unit
    if int(dataset.BitsStored) <= 8:
        return np.rint(unit * 255).astype(np.uint8)
    return np.rint(unit * 65535).astype(np.uint16)


def _read(data: bytes, *, pixels: bool) -> Dataset:
    if _DEFLATED in data:
        raise ImageFormatUnsupported("deflated DICOM is not read: store it uncompressed or as JPEG", field="image")
    try:
        dataset = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=not pixels)
        _check_header(dataset)
        return dataset
    except ImageFormatUnsupported:
        raise
    except Exception as error:  # pydicom raises anything on hostile bytes; the bytes are at fault
        raise ImageCorrupt("the DICOM header is damaged or cut off: send the file again", field="image") from error


def _check_header(dataset: Dataset) -> None:
    """Raise unless this is one grey frame; AttributeError and the like where tags are missing or no numbers."""
    if "Rows" not in dataset or "Columns" not in dataset:
        raise ImageFormatUnsupported("the DICOM file holds no image: send an object with pixel data", field="image")
    if int(dataset.get("SamplesPerPixel") or 1) != 1 or dataset.PhotometricInterpretation not in _GREY:
        raise ImageFormatUnsupported("a DICOM image must be grey: MONOCHROME1 or MONOCHROME2", field="image")
    if int(dataset.get("NumberOfFrames") or 1) != 1:
        raise ImageFormatUnsupported("the DICOM file has several frames: send one frame", field="image")
    if int(dataset.Rows) < 1 or int(dataset.Columns) < 1 or int(dataset.BitsStored) < 1:
        raise ValueError("sizes must be positive")


def _stored_values(dataset: Dataset) -> Values:
    if "PixelData" not in dataset:
        raise ImageFormatUnsupported("the DICOM file has no pixel data: send one with an image", field="image")
    _check_limits(dataset)
    try:
        stored: Values = dataset.pixel_array
    except (NotImplementedError, RuntimeError) as error:  # no decoder for it, or every decoder failed
        raise ImageCorrupt("the DICOM pixel data is damaged, or compressed in an unknown way", field="image") from error
    except Exception as error:  # as in `_read`
        raise ImageCorrupt("the DICOM pixel data is damaged or cut off: send the file again", field="image") from error
    if stored.shape != (int(dataset.Rows), int(dataset.Columns)):
        raise ImageCorrupt("the DICOM pixel data has another size than its header says", field="image")
    return stored


def _check_limits(dataset: Dataset) -> None:
    if int(dataset.Rows) * int(dataset.Columns) > LIMITS.image_pixels:
        raise ImageTooManyPixels(f"more than {LIMITS.image_pixels} pixels: shrink the image", field="image")


def _to_unit(stored: Values, dataset: Dataset) -> npt.NDArray[np.float64]:
    """Stored values → [0, 1] as displayed, before inversion."""
    values = np.asarray(apply_modality_lut(stored, dataset))
    if "VOILUTSequence" in dataset:
        low, high = 0.0, 2.0 ** int(dataset.VOILUTSequence[0].LUTDescriptor[2]) - 1.0
        return _scale(np.asarray(apply_voi_lut(values, dataset, index=0), np.float64), low, high)
    if dataset.get("WindowCenter") is not None and dataset.get("WindowWidth") is not None:
        # Values far outside any window land on the ends of the output range, which pydicom does not tell otherwise.
        low, high = np.asarray(apply_voi_lut(np.array([-1e12, 1e12]), dataset, index=0), np.float64)
        return _scale(np.asarray(apply_voi_lut(values, dataset, index=0), np.float64), low, high)
    if int(dataset.BitsStored) <= 8:
        low, high = np.asarray(apply_modality_lut(_stored_range(dataset), dataset), np.float64)
        return _scale(values, low, high)
    shown = values[~_padding(stored, dataset)]
    return _scale(values, float(shown.min()), float(shown.max())) if shown.size else np.zeros(values.shape)


def _stored_range(dataset: Dataset) -> Values:
    """The smallest and the largest value that the stored bits can hold."""
    bits = int(dataset.BitsStored)
    signed = int(dataset.get("PixelRepresentation") or 0) == 1
    return np.array([-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] if signed else [0, 2**bits - 1])


def _padding(stored: Values, dataset: Dataset) -> npt.NDArray[np.bool_]:
    """Where the file says that there is no image."""
    value = dataset.get("PixelPaddingValue")
    if value is None:
        return np.zeros(stored.shape, np.bool_)
    limit = dataset.get("PixelPaddingRangeLimit", value)
    return np.asarray((stored >= min(value, limit)) & (stored <= max(value, limit)))


def _scale(values: Values, low: float, high: float) -> npt.NDArray[np.float64]:
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError("values must be finite")
    return np.zeros(values.shape) if low == high else np.clip((values - low) / (high - low), 0.0, 1.0)
