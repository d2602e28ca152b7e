"""What a DICOM file says of its pixels, read and judged before any of them is touched."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from pydicom.dataelem import RawDataElement
from pydicom.dataset import FileDataset
from pydicom.filereader import data_element_generator, read_partial
from pydicom.uid import UID

from wronglung.errors import ImageCorrupt, ImageFormatUnsupported
from wronglung.images.guard import corrupt_on_failure

_META_START = 132
_TRANSFER_SYNTAX = 0x00020010
_PIXEL_GROUP = 0x7FE0
_PIXEL_DATA = 0x7FE00010
_LARGEST_COUNT = 1 << 31
"""Of what the standard can write, for a number of frames."""
_MOST_READS = 100_000
"""An element takes up to three; real images have some hundred elements."""

RLE = "1.2.840.10008.1.2.5"
NATIVE = frozenset({"1.2.840.10008.1.2", "1.2.840.10008.1.2.1"})
"""Implicit and explicit little endian."""
JPEG = frozenset({f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 57, 70)})
"""Baseline, extended, lossless, lossless with first-order prediction."""
JPEG_LS = frozenset({f"1.2.840.10008.1.2.4.{n}" for n in (80, 81)})
JPEG_2000 = frozenset({f"1.2.840.10008.1.2.4.{n}" for n in (90, 91)})
SUPPORTED = NATIVE | JPEG | JPEG_LS | JPEG_2000 | {RLE}


@dataclass(frozen=True, slots=True)
class DicomHeader:
    """How the one grey frame of a file is stored."""

    transfer_syntax: str
    rows: int
    columns: int
    bits_allocated: int
    """8 or 16."""
    bits_stored: int
    high_bit: int
    signed: bool
    inverted: bool
    """MONOCHROME1: the smallest value is white."""

    def __post_init__(self) -> None:
        """Raise ImageCorrupt if the numbers contradict each other."""
        fits = 1 <= self.bits_stored <= self.high_bit + 1 <= self.bits_allocated
        if not (fits and 1 <= self.rows <= 0xFFFF and 1 <= self.columns <= 0xFFFF):
            raise ImageCorrupt("the DICOM image contradicts itself in its size or its number of bits", field="image")


def read_header(data: bytes) -> DicomHeader:
    """Read a file up to its pixels.

    Raises:
        ImageCorrupt: it is cut off, damaged, or contradicts itself.
        ImageFormatUnsupported: it is no image, has several frames or colour, or is compressed in a way that is not
            supported.
    """
    with corrupt_on_failure("DICOM"):
        syntax = _transfer_syntax(data)
        if syntax not in SUPPORTED:
            _refuse(f"is stored as {_name(syntax)}")  # never parsed: a deflated file can hold any amount
        found = _Found()
        dataset = read_dataset(data, found.stops)
        return _judge(dataset, syntax, has_pixels=found.last_tag == _PIXEL_DATA)


def read_dataset(data: bytes, stop_when: Callable[[Any, str | None, int], bool] | None = None) -> FileDataset:
    """Parse a file to its end, or until `stop_when` (tag, type, length) holds.

    Raises:
        ImageFormatUnsupported: it has more elements, nested ones too, than any image has.
        Exception: whatever pydicom raises for damage; callers hold a `corrupt_on_failure`.
    """
    return read_partial(_Metered(data), stop_when=stop_when)


class _Metered(BytesIO):
    """Allows so many reads: millions of tiny elements, one in another, would keep the parser busy for a minute."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        if self.reads > _MOST_READS:
            _refuse("has far more elements than an image needs")
        return super().read(size)


def _transfer_syntax(data: bytes) -> str:
    """The first thing that a file says: how the rest of it is stored."""
    stream = BytesIO(data)
    stream.seek(_META_START)
    elements = data_element_generator(stream, False, True, stop_when=lambda tag, vr, length: tag.group != 2)
    for element in elements:
        if isinstance(element, RawDataElement) and element.tag == _TRANSFER_SYNTAX and element.value:
            if len(element.value) < element.length:
                break
            return element.value.rstrip(b"\0 ").decode("ascii")
    raise ImageCorrupt("the DICOM image does not say how it is stored (no transfer syntax)", field="image")


def _name(syntax: str) -> str:
    """What the standard calls a transfer syntax. What it does not know is not repeated: it can be anything."""
    uid = UID(syntax)
    return repr(uid.name) if uid.is_transfer_syntax else "something that is no transfer syntax"


class _Found:
    """Stops the parser at the pixels, and knows whether it came that far."""

    last_tag = 0

    def stops(self, tag: Any, vr: str | None, length: int) -> bool:
        self.last_tag = int(tag)
        return bool(tag.group >= _PIXEL_GROUP)


def _judge(dataset: FileDataset, syntax: str, *, has_pixels: bool) -> DicomHeader:
    _refuse_other_than_one_grey_frame(dataset, has_pixels=has_pixels)
    bits_allocated = _count(dataset, "BitsAllocated")
    if bits_allocated not in (8, 16):
        _refuse(f"has {bits_allocated} bits allocated for a pixel, 8 or 16 are supported")
    bits_stored = _count(dataset, "BitsStored", bits_allocated)
    return DicomHeader(
        transfer_syntax=syntax,
        rows=_count(dataset, "Rows"),
        columns=_count(dataset, "Columns"),
        bits_allocated=bits_allocated,
        bits_stored=bits_stored,
        high_bit=_count(dataset, "HighBit", bits_stored - 1),
        signed=bool(dataset.get("PixelRepresentation", 0)),
        inverted=dataset.PhotometricInterpretation == "MONOCHROME1",
    )


def _refuse_other_than_one_grey_frame(dataset: FileDataset, *, has_pixels: bool) -> None:
    if "Rows" not in dataset and not has_pixels:
        _refuse("holds no image")
    if not has_pixels:
        raise ImageCorrupt("the DICOM image has no pixel data: send the whole file", field="image")
    frames = _count(dataset, "NumberOfFrames", 1) or 1
    if frames != 1:
        _refuse(f"has {frames} frames: send one")
    if dataset.PhotometricInterpretation not in ("MONOCHROME1", "MONOCHROME2") or dataset.SamplesPerPixel != 1:
        _refuse("is in colour")


def _count(dataset: FileDataset, tag: str, default: int | None = None) -> int:
    """A number that a tag holds; where it is missing or empty, the default. Damaged tags can hold 1E308 as well."""
    value = dataset.get(tag)
    number = default if default is not None and value in (None, "") else int(value)
    if abs(number) > _LARGEST_COUNT:
        raise ImageCorrupt(f"the DICOM tag {tag} holds a number that no image has", field="image")
    return number


def _refuse(what: str) -> None:
    message = f"the DICOM file {what}: send one grey frame, uncompressed or as RLE, JPEG, JPEG-LS or JPEG 2000"
    raise ImageFormatUnsupported(message, field="image")
