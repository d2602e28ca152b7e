"""DICOM files made in memory: any pixels, any tags, any of the supported compressions."""

import io
from collections.abc import Callable
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

Pixels = npt.NDArray[np.generic]


def rle(pixels: Pixels) -> bytes:
    """A frame in DICOM's run-length coding: one segment for each byte of a pixel, the high byte first."""
    planes = pixels.view(np.uint8).reshape(*pixels.shape, pixels.itemsize)
    segments = [_packbits(planes[..., byte].tobytes()) for byte in reversed(range(pixels.itemsize))]
    offsets = np.zeros(16, "<u4")
    offsets[0] = len(segments)
    offsets[1 : len(segments) + 1] = 64 + np.cumsum([0, *(len(each) for each in segments[:-1])])
    return offsets.tobytes() + b"".join(segments)


def _packbits(data: bytes) -> bytes:
    """Literal runs of up to 128 bytes, an even number of bytes in all."""
    runs = [data[start : start + 128] for start in range(0, len(data), 128)]
    packed = b"".join(bytes([len(run) - 1]) + run for run in runs)
    return packed + b"\x80" * (len(packed) % 2)


def jpeg_extended(pixels: Pixels) -> bytes:
    """12-bit JPEG."""
    return bytes(imagecodecs.jpeg8_encode(pixels.astype(np.uint16), level=100, bitspersample=12))


def jpeg_lossless(pixels: Pixels) -> bytes:
    """JPEG process 14, first-order prediction."""
    return bytes(imagecodecs.jpeg8_encode(unsigned(pixels), lossless=True, predictor=1))


def unsigned(pixels: Pixels) -> Pixels:
    """The same bits: most encoders take signed values for what their bits say without a sign."""
    return pixels.view(f"u{pixels.itemsize}")


LOSSLESS: dict[str, tuple[UID, Callable[[Pixels], bytes]]] = {
    "rle": (RLELossless, rle),
    "jpeg lossless": (
        JPEGLosslessSV1,
        lambda p: bytes(imagecodecs.jpeg8_encode(unsigned(p), lossless=True, predictor=1)),
    ),
    "jpeg-ls": (JPEGLSLossless, lambda p: bytes(imagecodecs.jpegls_encode(unsigned(p)))),
    "jpeg 2000": (JPEG2000Lossless, lambda p: bytes(imagecodecs.jpeg2k_encode(p, codecformat="j2k", reversible=True))),
}
LOSSY: dict[str, tuple[UID, Callable[[Pixels], bytes]]] = {
    "jpeg baseline": (JPEGBaseline8Bit, lambda p: bytes(imagecodecs.jpeg8_encode(p, level=100))),
    "jpeg extended": (JPEGExtended12Bit, jpeg_extended),
}


def table(first: int, bits: int, values: list[int], *, words: bool = True, entries: int | None = None) -> Sequence:
    """A lookup table whose entries are stored as numbers, or as the words of a byte string."""
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [len(values) if entries is None else entries, first, bits])
    data = np.array(values, "<u2").tobytes() if words else values
    item.add_new("LUTData", "OW" if words else "US", data)
    return Sequence([item])


def dicom(pixels: Pixels, *, bits: int | None = None, coding: str = "", implicit: bool = False, **tags: Any) -> bytes:
    """A file with these pixels (H × W, 8 or 16 bits, signed or not); a tag of None is left out."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1.1", generate_uid(entropy_srcs=["test"])
    dataset.PatientName = "Example^Secret"
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = pixels.itemsize * 8
    dataset.BitsStored = bits or pixels.itemsize * 8
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    syntax = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    if coding:
        syntax, encode = (LOSSLESS | LOSSY)[coding]
        dataset.PixelData = encapsulate([encode(pixels)])
    else:
        dataset.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    dataset["PixelData"].VR = "OB" if coding else "OW"
    for name, value in tags.items():
        if value is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, value)
    return saved(dataset, syntax)


def saved(dataset: Dataset, syntax: UID) -> bytes:
    """The bytes of a file that holds the data set."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()
