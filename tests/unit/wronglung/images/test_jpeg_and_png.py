"""Specification of what a reader sees in JPEG and PNG files of every flavour."""

import io
import json
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from tests import png_files
from tests.png_files import png
from tests.shared import shared_path
from wronglung import errors, images

RNG = np.random.default_rng(5)
COLOUR = RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8)
GREY = COLOUR[..., 0].copy()
SMOOTH = np.add.outer(np.arange(40), np.arange(56)).astype(np.uint8)
ORIENTATION = 0x0112

# How each EXIF orientation stores an upright picture (Exif 3.0, Orientation: where row 0 and column 0 lie).
STORED = {
    1: lambda upright: upright,
    2: np.fliplr,
    3: lambda upright: np.rot90(upright, 2),
    4: np.flipud,
    5: np.transpose,
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: np.rot90(upright, 2).T,
    8: lambda upright: np.rot90(upright, -1),
}


def saved(pixels: npt.NDArray[np.generic] | Image.Image, form: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(file, form, **options)
    return file.getvalue()


def exif(orientation: int) -> bytes:
    block = Image.Exif()
    block[ORIENTATION] = orientation
    return block.tobytes()


def luma(colour: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    """ITU-R 601."""
    return np.rint(colour[..., :3] @ np.array([0.299, 0.587, 0.114]))


def assert_within_one_level(decoded: npt.NDArray[np.generic], expected: npt.NDArray[np.generic]) -> None:
    assert decoded.dtype == np.uint8
    assert decoded.shape == expected.shape
    assert np.abs(decoded.astype(int) - expected).max() <= 1


def test_grey_png_comes_as_it_is() -> None:
    np.testing.assert_array_equal(images.decode(saved(GREY)), GREY, strict=True)


def test_grey_png_of_16_bits_keeps_all_of_them() -> None:
    deep = RNG.integers(0, 65536, (20, 30), dtype=np.uint16)
    np.testing.assert_array_equal(images.decode(png(deep, 16, png_files.GREY)), deep, strict=True)


@pytest.mark.parametrize(("bits", "step"), [(1, 255), (2, 85), (4, 17)])
def test_grey_png_of_few_bits_uses_the_whole_range(bits: int, step: int) -> None:
    values = np.arange(20 * 30).reshape(20, 30) % 2**bits
    np.testing.assert_array_equal(images.decode(png(values, bits, png_files.GREY)), values * step)


def test_colour_png_becomes_luma() -> None:
    assert_within_one_level(images.decode(saved(COLOUR)), luma(COLOUR))


def test_colour_png_of_16_bits_keeps_the_upper_8() -> None:
    deep = RNG.integers(0, 65536, (20, 30, 3), dtype=np.uint16)
    assert_within_one_level(images.decode(png(deep, 16, png_files.COLOUR)), luma(deep >> 8))


def test_a_palette_is_looked_up() -> None:
    picture = Image.fromarray(COLOUR).quantize(17)
    assert_within_one_level(images.decode(saved(picture)), luma(np.asarray(picture.convert("RGB"))))


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("kind", [png_files.GREY_ALPHA, png_files.COLOUR_ALPHA], ids=["grey", "colour"])
def test_what_is_transparent_fades_to_black(kind: int, bits: int) -> None:
    samples = RNG.integers(0, 2**bits, (20, 30, png_files.CHANNELS[kind]))
    upper = samples >> (bits - 8)
    opaque = upper[..., 0] if kind == png_files.GREY_ALPHA else luma(upper)
    assert_within_one_level(images.decode(png(samples, bits, kind)), np.rint(opaque * upper[..., -1] / 255))


def test_a_transparent_entry_of_a_palette_is_black() -> None:
    indices = np.arange(20 * 30, dtype=np.uint8).reshape(20, 30) % 4
    picture = Image.frombytes("P", (30, 20), indices.tobytes())
    picture.putpalette([0, 0, 0, 80, 80, 80, 160, 160, 160, 240, 240, 240])
    assert_within_one_level(images.decode(saved(picture, transparency=3)), np.array([0, 80, 160, 0])[indices])


@pytest.mark.parametrize("bits", [8, 16])
def test_a_transparent_grey_is_black(bits: int) -> None:
    values = np.arange(600).reshape(20, 30) % 2**bits
    data = png(values, bits, png_files.GREY, before=[png_files.chunk(b"tRNS", (200).to_bytes(2, "big"))])
    np.testing.assert_array_equal(images.decode(data), np.where(values == 200, 0, values))


@pytest.mark.parametrize("progressive", [False, True], ids=["baseline", "progressive"])
def test_grey_jpeg_is_decoded(progressive: bool) -> None:
    data = saved(SMOOTH, "JPEG", quality=100, progressive=progressive)
    assert np.abs(images.decode(data).astype(int) - SMOOTH).max() <= 2


def test_colour_jpeg_is_what_opencv_reads_as_grey() -> None:
    """Published models were trained on what OpenCV reads."""
    data = saved(COLOUR, "JPEG", quality=80)
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    np.testing.assert_array_equal(images.decode(data), expected)


def test_jpeg_for_printing_is_read() -> None:
    picture = Image.fromarray(SMOOTH).convert("CMYK")
    assert np.abs(images.decode(saved(picture, "JPEG", quality=100)).astype(int) - SMOOTH).max() <= 3


@pytest.mark.parametrize("orientation", STORED)
def test_a_png_is_turned_upright(orientation: int) -> None:
    data = saved(np.ascontiguousarray(STORED[orientation](GREY)), exif=exif(orientation))
    np.testing.assert_array_equal(images.decode(data), GREY)
    assert images.header_size(data) == (30, 20)


@pytest.mark.parametrize("orientation", STORED)
def test_a_jpeg_is_turned_upright(orientation: int) -> None:
    data = saved(np.ascontiguousarray(STORED[orientation](SMOOTH)), "JPEG", quality=100, exif=exif(orientation))
    assert np.abs(images.decode(data).astype(int) - SMOOTH).max() <= 2
    assert images.header_size(data) == (56, 40)


def test_the_orientation_of_a_png_counts_behind_its_pixels_too() -> None:
    block = png_files.chunk(b"eXIf", exif(6).removeprefix(b"Exif\0\0"))
    data = png(np.rot90(GREY), 8, png_files.GREY, after=[block])
    np.testing.assert_array_equal(images.decode(data), GREY)
    assert images.header_size(data) == (30, 20)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_turns_nothing(orientation: int) -> None:
    np.testing.assert_array_equal(images.decode(saved(GREY, exif=exif(orientation))), GREY)


def test_16_bits_are_turned_upright() -> None:
    deep = RNG.integers(0, 65536, (20, 30), dtype=np.uint16)
    block = png_files.chunk(b"eXIf", exif(3).removeprefix(b"Exif\0\0"))
    np.testing.assert_array_equal(images.decode(png(deep[::-1, ::-1], 16, png_files.GREY, before=[block])), deep)


@pytest.mark.parametrize("pixels", [GREY, SMOOTH])
@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_what_is_decoded_can_be_written_to(form: str, pixels: npt.NDArray[np.uint8]) -> None:
    decoded = images.decode(saved(pixels, form))
    assert decoded.flags.writeable
    assert decoded.flags.c_contiguous


def test_an_animation_is_refused() -> None:
    frames = [Image.fromarray(GREY), Image.fromarray(255 - GREY)]
    with pytest.raises(errors.ImageFormatUnsupported, match="animated"):
        images.decode(saved(frames[0], save_all=True, append_images=frames[1:]))


@pytest.mark.parametrize(("process", "bits"), [(0xC3, 8), (0xC1, 12), (0xC9, 8), (0xF7, 8)])
def test_jpeg_of_a_kind_that_browsers_do_not_show_is_refused(process: int, bits: int) -> None:
    data = bytearray(saved(SMOOTH, "JPEG"))
    start = data.index(b"\xff\xc0")
    data[start + 1], data[start + 4] = process, bits
    with pytest.raises(errors.ImageFormatUnsupported, match="baseline or progressive"):
        images.decode(bytes(data))


def test_real_radiographs_have_the_size_that_their_list_says() -> None:
    folder = shared_path("real_cxr")
    rows = [json.loads(line) for line in (folder / "images.jsonl").read_text("utf-8").splitlines()]
    assert len(rows) == 30
    for row in rows:
        data = (folder / row["image"]).read_bytes()
        assert images.header_size(data) == (row["width"], row["height"])
        decoded = images.decode(data)
        assert decoded.shape == (row["height"], row["width"])
        assert decoded.std() > 10
