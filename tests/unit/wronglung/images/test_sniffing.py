"""Specification of what is taken for an image, and of the limits that are held before anything is decoded."""

import io
import struct
from dataclasses import replace
from unittest import mock

import numpy as np
import pytest
from PIL import Image

from tests.dicom_files import dicom
from tests.png_files import bomb, chunk
from wronglung import errors, images
from wronglung.limits import LIMITS

GREY = np.arange(30 * 20, dtype=np.uint8).reshape(20, 30)


def encoded(form: str) -> bytes:
    if form == "DICOM":
        return dicom(GREY)
    file = io.BytesIO()
    Image.fromarray(GREY).save(file, form)
    return file.getvalue()


@pytest.mark.parametrize(("form", "name"), [("JPEG", "jpeg"), ("PNG", "png"), ("DICOM", "dicom")])
def test_a_format_is_told_by_its_first_bytes(form: str, name: str) -> None:
    assert images.sniff(encoded(form)) == name


@pytest.mark.parametrize("form", ["JPEG", "PNG", "DICOM"])
def test_the_size_is_read_without_decoding(form: str) -> None:
    data = encoded(form)
    with (
        mock.patch("PIL.ImageFile.ImageFile.load", side_effect=AssertionError("decoded")),
        mock.patch("wronglung.images.dicom_frame.stored_bits", side_effect=AssertionError("decoded")),
    ):
        assert images.header_size(data) == (30, 20)
        images.check(data)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "DICOM"])
def test_the_size_is_that_of_the_pixels(form: str) -> None:
    assert images.decode(encoded(form)).shape == (20, 30)


def test_no_bytes_are_no_image() -> None:
    with pytest.raises(errors.ImageEmpty):
        images.decode(b"")


@pytest.mark.parametrize(
    "data",
    [b"Chest, two views.", b"GIF89a" + b"\0" * 200, b"\xff\xd8", b"\0" * 132, b"\0" * 128 + b"DIC"],
    ids=["text", "gif", "two bytes of a jpeg", "zeros", "most of a dicom mark"],
)
def test_other_bytes_are_of_an_unsupported_format(data: bytes) -> None:
    with pytest.raises(errors.ImageFormatUnsupported, match="JPEG, PNG nor DICOM"):
        images.decode(data)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "DICOM"])
def test_too_many_pixels_are_refused_by_the_header(form: str) -> None:
    exact, less = replace(LIMITS, image_pixels=600), replace(LIMITS, image_pixels=599)
    images.check(encoded(form), exact)
    with pytest.raises(errors.ImageTooManyPixels, match="30 x 20"):
        images.check(encoded(form), less)


@pytest.mark.parametrize(("width", "height"), [(30_000, 30_000), (10_001, 10_000), (2**31 - 1, 1)])
def test_a_small_file_that_claims_a_large_image_claims_no_memory(width: int, height: int) -> None:
    with pytest.raises(errors.ImageTooManyPixels):
        images.decode(bomb(width, height))


def test_too_many_bytes_are_refused_by_their_number() -> None:
    data = encoded("PNG")
    with pytest.raises(errors.ImageTooManyBytes):
        images.check(data, replace(LIMITS, image_bytes=len(data) - 1))


def test_a_flood_of_chunks_is_refused() -> None:
    start, end = bomb(8, 8)[:33], bomb(8, 8)[33:]
    with pytest.raises(errors.ImageFormatUnsupported, match="chunks"):
        images.header_size(start + chunk(b"prVt", b"") * 100_001 + end)


def test_a_flood_of_segments_is_refused() -> None:
    data = encoded("JPEG")
    with pytest.raises(errors.ImageError):
        images.header_size(data[:2] + b"\xff\xfe\x00\x02" * 5000 + data[2:])


def elements(count: int) -> bytes:
    """Empty private elements of group 7."""
    return b"".join(b"\x07\x00" + struct.pack("<H", 0x1100 + n % 0xE000) + b"LO\x00\x00" for n in range(count))


def nested(content: bytes) -> bytes:
    """A sequence of one item, both of undefined length."""
    begin, end = b"\x07\x00\x00\x10SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff", b"\xfe\xff\r\xe0\0\0\0\0"
    return begin + content + end + b"\xfe\xff\xdd\xe0\0\0\0\0"


@pytest.mark.parametrize("flood", [elements(120_000), nested(elements(120_000))], ids=["side by side", "nested"])
def test_a_flood_of_elements_is_refused(flood: bytes) -> None:
    data = dicom(GREY)
    group_8 = data.index(b"\x08\x00\x16\x00UI")
    for flooded in (data[:group_8] + flood + data[group_8:], data + flood.replace(b"\x07\x00", b"\xe1\x7f")):
        with pytest.raises(errors.ImageFormatUnsupported, match="elements"):
            images.decode(flooded)


def test_elements_nested_without_end_are_damage() -> None:
    data, flood = dicom(GREY), b""
    for _ in range(3000):
        flood = nested(flood)
    group_8 = data.index(b"\x08\x00\x16\x00UI")
    with pytest.raises(errors.ImageCorrupt):
        images.header_size(data[:group_8] + flood + data[group_8:])


def test_every_error_names_the_field_at_fault() -> None:
    for data in (b"", b"text", encoded("PNG")[:-20], encoded("JPEG")[:100], dicom(GREY)[:400], bomb(30_000, 30_000)):
        with pytest.raises(errors.ImageError) as caught:
            images.decode(data)
        assert caught.value.field == "image"
        assert type(caught.value) is not errors.ImageError
