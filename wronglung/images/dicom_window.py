"""From stored bits to what is shown: modality rescale, window or VOI table, MONOCHROME1 (DICOM PS3.3 C.11.1, C.11.2).

All of it is done once per possible pixel value, in a table of at most 65,536 entries, and looked up per pixel.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from wronglung.errors import ImageCorrupt
from wronglung.images.dicom_header import DicomHeader

Bits = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
Values = npt.NDArray[np.float64]

_LARGEST = 1e300
"""Of values, window centers and widths: differences of two of them are still numbers."""
_ROWS_AT_ONCE = 512
"""Indexing needs 8 bytes a pixel beside the result."""


def show(dataset: Dataset, bits: Bits, header: DicomHeader) -> Pixels:
    """Stored bits → the grey that a viewer shows, uint8 or uint16; see `wronglung.images.decode`."""
    stored = _stored_values(header)
    values = _modality(dataset, stored)
    shown = _voi(dataset, values)
    if shown is None and header.bits_stored == 8 and np.array_equal(values, np.arange(256)):
        table: Pixels = np.arange(256, dtype=np.uint8)
    else:
        unit = _stretch(values, _present(bits, stored, dataset)) if shown is None else shown
        table = np.rint(unit * 65535).astype(np.uint16)
    return _look_up(np.iinfo(table.dtype).max - table if header.inverted else table, bits)


def _stored_values(header: DicomHeader) -> Values:
    """The number that each pattern of stored bits stands for."""
    values = np.arange(2**header.bits_stored, dtype=np.float64)
    if header.signed:
        values[len(values) // 2 :] -= len(values)
    return values


def _modality(dataset: Dataset, stored: Values) -> Values:
    """Stored values → values that mean something: by table, or by slope and intercept."""
    if table := dataset.get("ModalityLUTSequence"):
        return _through(table[0], stored)[0]
    slope, intercept = _number(dataset, "RescaleSlope", 1.0), _number(dataset, "RescaleIntercept", 0.0)
    with np.errstate(over="ignore", invalid="ignore"):  # looked at right below
        values: Values = stored * slope + intercept
    if not (np.abs(values) <= _LARGEST).all():
        raise ImageCorrupt("the DICOM image has an impossible rescale slope or intercept", field="image")
    return values


def _number(dataset: Dataset, keyword: str, default: float) -> float:
    """A decimal of the file; an attribute without a value counts as absent."""
    value = dataset.get(keyword)
    return default if value is None or value == "" else float(value)


def _voi(dataset: Dataset, values: Values) -> Values | None:
    """Values → [0, 1] by the first VOI table or the first window of the file; None if it has neither."""
    if table := dataset.get("VOILUTSequence"):
        shown, bits = _through(table[0], values)
        unit: Values = np.minimum(shown / (2**bits - 1), 1)
        return unit
    center, width = _first(dataset.get("WindowCenter")), _first(dataset.get("WindowWidth"))
    if center is None or width is None:
        return None
    return _window(values, center, width, str(dataset.get("VOILUTFunction") or "LINEAR"))


def _first(value: Any) -> float | None:
    """The first of one or several numbers; None for none."""
    first = next(iter(value), None) if isinstance(value, MultiValue) else value
    return None if first in (None, "") else float(first)


def _window(values: Values, center: float, width: float, function: str) -> Values:
    """The three window functions of PS3.3 C.11.2.1.2 and C.11.2.1.3, onto [0, 1]."""
    narrowest = 1 if function == "LINEAR" else math.ulp(0.0)
    if not (abs(center) <= _LARGEST and narrowest <= width <= _LARGEST):
        raise ImageCorrupt("the DICOM image has an impossible window center or width", field="image")
    if function == "SIGMOID":
        return 1 / (1 + np.exp(np.clip(-4 * (values - center) / width, -700, 700)))
    if function == "LINEAR_EXACT":
        return np.clip((values - center) / width + 0.5, 0, 1)
    if function != "LINEAR":
        raise ImageCorrupt("the DICOM image names a window function that does not exist", field="image")
    if width == 1:
        return (values > center - 0.5).astype(np.float64)
    return np.clip((values - (center - 0.5)) / (width - 1) + 0.5, 0, 1)


def _stretch(values: Values, present: npt.NDArray[np.bool_]) -> Values:
    """The smallest value that is present → 0, the largest → 1; all 0 if they are the same."""
    found = values[present]
    low, high = (found.min(), found.max()) if found.size else (0.0, 0.0)
    return np.clip((values - low) / (high - low), 0, 1) if high > low else np.zeros_like(values)


def _present(bits: Bits, stored: Values, dataset: Dataset) -> npt.NDArray[np.bool_]:
    """Which values occur in the image, those apart that only pad it (PS3.3 C.7.5.1.1.2)."""
    present = np.zeros(stored.shape, np.bool_)
    for start in range(0, len(bits), _ROWS_AT_ONCE):
        present[bits[start : start + _ROWS_AT_ONCE]] = True
    padding = dataset.get("PixelPaddingValue")
    if padding is not None:
        limit = dataset.get("PixelPaddingRangeLimit", padding)
        present &= (stored < min(padding, limit)) | (stored > max(padding, limit))
    return present


def _through(item: Dataset, values: Values) -> tuple[Values, int]:
    """Values through a lookup table (PS3.3 C.11.1.1.1); also the number of bits of its entries."""
    entries, first, bits = (int(number) for number in item.LUTDescriptor)
    data = item.LUTData
    table = np.frombuffer(data, "<u2") if isinstance(data, bytes) else np.asarray(data)
    if len(table) < (entries or 65536) or not 8 <= bits <= 16:
        raise ImageCorrupt("the DICOM image has a lookup table that contradicts itself", field="image")
    index = np.clip(values - first, 0, (entries or 65536) - 1).astype(np.intp)
    return table[index].astype(np.float64), bits


def _look_up(table: Pixels, bits: Bits) -> Pixels:
    shown = np.empty(bits.shape, table.dtype)
    for start in range(0, len(bits), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        shown[rows] = table[bits[rows]]
    return shown
