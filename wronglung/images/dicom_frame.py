"""The stored bits of a DICOM image: native, or decompressed after its own header was compared with the file's."""

import struct
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames

from wronglung.errors import ImageCorrupt, ImageFormatUnsupported
from wronglung.images import isolated, jpeg
from wronglung.images.dicom_header import JPEG_2000, JPEG_LS, NATIVE, RLE, DicomHeader
from wronglung.images.jpeg_decoder import decode_grey

Bits = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

_JPEG_LS_PROCESSES = frozenset({0xF7})
_LOSSLESS = 0xC3
_JPEG_PROCESSES = frozenset({0xC0, 0xC1, 0xC2, _LOSSLESS})
_J2K_START = b"\xff\x4f\xff\x51"
_J2K_SIZE = struct.Struct(">HH8IH3B")


def stored_bits(dataset: Dataset, header: DicomHeader) -> Bits:
    """The stored bits of every pixel, (rows, columns), as unsigned numbers below 2 ** bits_stored.

    Raises:
        ImageError: a compressed stream contradicts the file, or is of a kind that is not supported.
        Exception: whatever a decoder raises for a damaged stream; callers hold a `corrupt_on_failure`.
    """
    if header.transfer_syntax in NATIVE:
        words = _words(dataset.PixelData, header)
    else:
        words = _decompress(next(generate_frames(dataset.PixelData, number_of_frames=1)), header)
    shift, mask = header.high_bit + 1 - header.bits_stored, 2**header.bits_stored - 1
    bits: Bits = np.bitwise_and(words.reshape(header.rows, header.columns) >> words.dtype.type(shift), mask)
    return bits


def _words(data: bytes | bytearray, header: DicomHeader) -> Bits:
    """The allocated bits of every pixel, from bytes in the order of the file; more bytes are padding."""
    count = header.rows * header.columns
    if header.bits_allocated == 8:
        return np.frombuffer(data, np.uint8, count)
    return np.frombuffer(data, "<u2", count).astype(np.uint16, copy=False)


def _decompress(frame: bytes, header: DicomHeader) -> Bits:
    syntax = header.transfer_syntax
    if syntax == RLE:
        size = header.rows * header.columns * header.bits_allocated // 8
        order = "<u2" if header.bits_allocated == 16 else "u1"
        return _words(imagecodecs.dicomrle_decode(frame, order, out=size), header)
    if syntax in JPEG_2000:
        _check_jpeg_2000(frame, header)
        decoded = isolated.decode("jpeg2k", frame, header.columns, header.rows)
    elif syntax in JPEG_LS:
        _check_jpeg(frame, header, _JPEG_LS_PROCESSES)
        decoded = isolated.decode("jpegls", frame, header.columns, header.rows)
    else:
        stream = _check_jpeg(frame, header, _JPEG_PROCESSES)
        lossy8 = stream.bits == 8 and stream.process != _LOSSLESS
        decoded = decode_grey(frame) if lossy8 else imagecodecs.jpeg8_decode(frame)
    return _unsigned(decoded, header)


def _unsigned(decoded: npt.NDArray[Any], header: DicomHeader) -> Bits:
    """What a decoder returned, signed or not, as the bits that a native image would hold."""
    bits = decoded.view(f"u{decoded.itemsize}")
    if bits.itemsize * 8 > header.bits_allocated:
        raise ImageCorrupt("the DICOM image's compressed stream has more bits than its header says", field="image")
    return bits.astype(f"u{header.bits_allocated // 8}")


def _check_jpeg(frame: bytes, header: DicomHeader, processes: frozenset[int]) -> jpeg.JpegHeader:
    stream = jpeg.read_header(frame, verify=True)
    if stream.process not in processes:
        message = f"the DICOM image holds JPEG of a kind that is not supported (process {stream.process:#x})"
        raise ImageFormatUnsupported(message, field="image")
    _check_size(header, (stream.width, stream.height), stream.components)
    return stream


def _check_jpeg_2000(frame: bytes, header: DicomHeader) -> None:
    """Compare the SIZ segment, which comes first (ISO/IEC 15444-1 A.5.1)."""
    if not frame.startswith(_J2K_START):
        raise ImageCorrupt("the DICOM image's JPEG 2000 stream does not begin like one", field="image")
    _, _, x1, y1, x0, y0, *_, components, _, step_x, step_y = _J2K_SIZE.unpack_from(frame, len(_J2K_START))
    if (step_x, step_y) != (1, 1):
        raise ImageFormatUnsupported("the DICOM image's JPEG 2000 stream is subsampled", field="image")
    _check_size(header, (x1 - x0, y1 - y0), components)


def _check_size(header: DicomHeader, size: tuple[int, int], components: int) -> None:
    """A stream of another size than the file's is refused before it can claim memory for it."""
    if size != (header.columns, header.rows) or components != 1:
        raise ImageCorrupt("the DICOM image's compressed stream contradicts its header", field="image")
