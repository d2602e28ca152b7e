"""Specification of damage: whatever the bytes, the answer is pixels or one of our own errors, and it comes in time."""

import io
import time
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.dicom_files import LOSSLESS, LOSSY, dicom
from wronglung import errors, images
from wronglung.gateway.load import Capacity, Load
from wronglung.images import isolated, jpeg

PIXELS = np.random.default_rng(1).integers(0, 256, (24, 32), dtype=np.uint8)
ISOLATED = ["jpeg-ls", "jpeg 2000"]
"""Each example of these starts a process."""
IN_PROCESS = [coding for coding in [*LOSSLESS, *LOSSY] if coding not in ISOLATED]
MUTATIONS = settings(deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def saved(form: str, **options: object) -> bytes:
    file = io.BytesIO()
    block = Image.Exif()
    block[0x0112] = 6
    Image.fromarray(PIXELS).save(file, form, exif=block, **options)
    return file.getvalue()


FILES: dict[str, Callable[[], bytes]] = {
    "png": lambda: saved("PNG"),
    "jpeg": lambda: saved("JPEG"),
    "progressive jpeg": lambda: saved("JPEG", progressive=True),
    "dicom": lambda: dicom(PIXELS, WindowCenter=100, WindowWidth=50, RescaleSlope=2, PixelPaddingValue=3),
    **{f"dicom, {coding}": lambda coding=coding: dicom(PIXELS, coding=coding) for coding in IN_PROCESS},
}
original = cache(lambda name: FILES[name]())


@st.composite
def damage(draw: st.DrawFn, data: bytes) -> bytes:
    """Overwrite, insert, delete and cut off, most often near the beginning, where the headers are."""
    damaged = bytearray(data)
    for _ in range(draw(st.integers(1, 8))):
        reach = draw(st.sampled_from([64, 600, len(damaged)]))
        at = draw(st.integers(0, max(0, min(reach, len(damaged)) - 1)))
        kind = draw(st.sampled_from(["overwrite", "overwrite", "overwrite", "insert", "delete", "cut"]))
        piece = draw(st.binary(min_size=1, max_size=8))
        match kind:
            case "overwrite":
                damaged[at : at + 1] = piece[:1]
            case "insert":
                damaged[at:at] = piece
            case "delete":
                del damaged[at : at + len(piece)]
            case "cut":
                del damaged[at:]
    return bytes(damaged)


def assert_pixels_or_our_error(data: bytes) -> None:
    error = None
    try:
        decoded = images.decode(data)
    except errors.ImageError as caught:
        error = caught
    if error is not None:
        assert type(error) is not errors.ImageError
        assert error.message
    else:
        assert decoded.dtype in (np.uint8, np.uint16)
        assert decoded.shape == images.header_size(data)[::-1]


@pytest.mark.filterwarnings("ignore::UserWarning")  # of pydicom
@pytest.mark.parametrize("name", FILES)
def test_damage_is_answered_by_pixels_or_by_our_errors(name: str) -> None:
    @settings(MUTATIONS, max_examples=150)
    @given(damage(original(name)))
    def check(data: bytes) -> None:
        assert_pixels_or_our_error(data)

    check()


@pytest.mark.parametrize("coding", ISOLATED)
def test_damage_in_an_isolated_decoder_is_answered_by_pixels_or_by_our_errors(coding: str) -> None:
    @settings(MUTATIONS, max_examples=5)
    @given(damage(dicom(PIXELS, coding=coding)))
    def check(data: bytes) -> None:
        assert_pixels_or_our_error(data)

    check()


@given(st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"\0" * 128 + b"DICM"]), st.binary(max_size=300))
@settings(MUTATIONS, max_examples=300)
def test_noise_behind_a_good_beginning_is_answered_by_our_errors(beginning: bytes, noise: bytes) -> None:
    with pytest.raises(errors.ImageError):
        images.decode(beginning + noise)


@pytest.mark.parametrize("name", ["png", "jpeg", "progressive jpeg", "dicom"])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.95])
def test_a_file_that_is_cut_off_is_corrupt(name: str, share: float) -> None:
    data = original(name)
    with pytest.raises(errors.ImageCorrupt):
        images.decode(data[: int(share * len(data))])


def test_a_png_with_one_wrong_bit_anywhere_is_corrupt() -> None:
    """Half of a wrong radiograph must not pass for a whole one."""
    data = original("png")
    pixels = data.index(b"IDAT") + 4
    for at in range(pixels, len(data) - 12, 7):
        damaged = data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]
        with pytest.raises(errors.ImageCorrupt):
            images.decode(damaged)


def ended(data: bytes) -> bytes:
    """Half of a JPEG, with an end."""
    return data[: len(data) // 2] + b"\xff\xd9"


def of_more_rows(data: bytes) -> bytes:
    """A JPEG whose header names 96 rows in the place of 24."""
    height = next(data.index(frame) for frame in (b"\xff\xc0", b"\xff\xc2") if frame in data) + 5
    return data[:height] + b"\0\x60" + data[height + 2 :]


@pytest.mark.filterwarnings("ignore::UserWarning")  # of pydicom
@pytest.mark.parametrize("name", ["jpeg", "progressive jpeg", "dicom, jpeg baseline"])
@pytest.mark.parametrize("shorten", [ended, of_more_rows])
def test_a_jpeg_with_less_data_than_pixels_is_corrupt_even_where_it_has_an_end(
    name: str, shorten: Callable[[bytes], bytes]
) -> None:
    """A decoder would fill the rest with grey: half of a radiograph must not pass for a whole one."""
    data = original(name)
    start = data.index(b"\xff\xd8\xff")
    with pytest.raises(errors.ImageCorrupt):
        images.decode(data[:start] + shorten(data[start:]))


def with_scans(data: bytes, count: int, before: bytes = b"") -> bytes:
    """A progressive JPEG whose last scan is there `count` times more, each time behind the bytes `before`."""
    last, end = data.rindex(b"\xff\xda"), data.rindex(b"\xff\xd9")
    return data[:end] + (before + data[last:end]) * count + data[end:]


@pytest.mark.parametrize(
    "before",
    [b"", b"\xff\xfe\x00\x04\xff\xd9", b"\xff\x01", b"\xff\xff\xff", b"\0\0\xff\xd3"],
    ids=["nothing", "a comment that looks like the end", "a marker without length", "fill bytes", "a stray restart"],
)
def test_a_jpeg_of_very_many_scans_is_refused_before_a_decoder_walks_over_the_image_for_each(before: bytes) -> None:
    """A file of 200 kB could keep a decoder busy for an hour."""
    with pytest.raises(errors.ImageFormatUnsupported, match="scans"):
        images.decode(with_scans(original("progressive jpeg"), 5_000, before))


def test_a_jpeg_may_have_as_many_scans_as_an_encoder_may_write() -> None:
    assert jpeg.read_header(with_scans(original("progressive jpeg"), 50), verify=True).height == 24


def test_what_follows_the_end_of_a_jpeg_is_not_looked_at() -> None:
    """Cameras put films and further pictures there."""
    data = original("progressive jpeg")
    np.testing.assert_array_equal(images.decode(data + b"\xff\xda\0\x08" * 500), images.decode(data))


def test_exif_data_that_cannot_be_read_is_damage_because_left_and_right_depend_on_it() -> None:
    data = original("jpeg")
    tiff_header = data.index(b"Exif\0\0") + 6
    with pytest.raises(errors.ImageCorrupt):
        images.decode(data[:tiff_header] + b"XXXX" + data[tiff_header + 4 :])


@pytest.mark.parametrize("program", ["import os; os.abort()", "import time; time.sleep(60)"], ids=["dies", "hangs"])
def test_an_isolated_decoder_that_dies_or_hangs_costs_its_image_only(
    program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolated, "_PROGRAM", program)
    monkeypatch.setattr(isolated, "_SECONDS", 1.0)
    monkeypatch.setattr(isolated, "_CPU_SECONDS", 0.0)
    started = time.monotonic()
    with pytest.raises(errors.ImageCorrupt):
        images.decode(dicom(PIXELS, coding="jpeg-ls"))
    assert time.monotonic() - started < 30


@pytest.mark.parametrize(("codec", "intact_s"), [("jpegls", 1.7), ("jpeg2k", 12.6)])
def test_the_largest_image_has_twice_what_it_needs_and_no_damage_makes_a_worker_look_hung(
    codec: isolated.Codec, intact_s: float
) -> None:
    cpu_s, allowed_s = isolated.limits(codec, 10_000, 10_000)
    assert 2 * intact_s < cpu_s <= 30
    lone = Load.of_request(sentences=1, pixels=1, size=1)
    assert cpu_s < allowed_s < Capacity.for_model(workers=1, batch_size=8, queue_size=100).patience_s(lone)


def test_a_little_jpeg_2000_that_names_a_tile_for_every_pixel_gets_no_memory_for_them() -> None:
    """These 760 bytes would take 600 MiB, and 1.5 s of the worker's time."""
    pixels = np.zeros((250, 250), np.uint8)
    data = bytearray(dicom(pixels, coding="jpeg 2000"))
    size_of_a_tile = data.index(b"\xff\x4f\xff\x51") + 24
    data[size_of_a_tile : size_of_a_tile + 8] = b"\0\0\0\1\0\0\0\1"
    with pytest.raises(errors.ImageCorrupt):
        images.decode(bytes(data))


@pytest.mark.filterwarnings("ignore::UserWarning")  # of pydicom, when it writes such a file
@pytest.mark.parametrize(
    "tags",
    [
        {"RescaleSlope": "1e308", "RescaleIntercept": "0"},
        {"RescaleSlope": "1", "RescaleIntercept": "-1.7e308"},
        {"RescaleSlope": "nan", "RescaleIntercept": "0"},
        {"RescaleSlope": "inf", "RescaleIntercept": "0"},
        {"WindowCenter": "1", "WindowWidth": "inf"},
        {"WindowCenter": "1.7e308", "WindowWidth": "2"},
    ],
    ids=lambda tags: " ".join(tags.values()),
)
def test_numbers_that_are_none_or_lead_to_none_are_damage(tags: dict[str, str]) -> None:
    """The difference of two infinite values is no number, and what it is cast to is chance."""
    with pytest.raises(errors.ImageCorrupt, match="impossible"), np.errstate(invalid="raise"):
        images.decode(dicom(PIXELS.astype("<u2"), **tags))


@pytest.mark.filterwarnings("ignore::UserWarning")  # of pydicom, when it writes such a file
@pytest.mark.parametrize(
    "file",
    [
        lambda: dicom(PIXELS).replace(b"1.2.840.10008.1.2.1\0", b"Example^Secret^Name\0"),
        lambda: dicom(PIXELS, VOILUTFunction="Example^Secret", WindowCenter="inf", WindowWidth="1"),
    ],
    ids=["in the place of the transfer syntax", "in the place of a window's function"],
)
def test_what_a_file_says_in_a_wrong_place_is_not_quoted(file: Callable[[], bytes]) -> None:
    with pytest.raises(errors.ImageError) as caught:
        images.decode(file())
    assert "Secret" not in caught.value.message
