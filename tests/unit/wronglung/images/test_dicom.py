"""Specification of what a viewer shows of a DICOM file."""

import io
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.dataelem import DataElement
from pydicom.encaps import encapsulate
from pydicom.pixels.processing import apply_modality_lut, apply_windowing
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
)

from tests.dicom_files import LOSSLESS, LOSSY, dicom, saved, table
from tests.shared import shared_path
from wronglung import errors, images

WHITE = 65535
RAMP = np.arange(4096, dtype=np.uint16).reshape(64, 64)
GREY = (np.arange(48 * 40) % 256).astype(np.uint8).reshape(48, 40)
SMOOTH = np.add.outer(np.arange(48) * 40, np.arange(56) * 9).astype(np.uint16)


def window(center: Any, width: Any, function: str | None = None, **tags: Any) -> dict[str, Any]:
    chosen = {"VOILUTFunction": function} if function else {}
    return {"WindowCenter": center, "WindowWidth": width, **chosen, **tags}


def shown(*values: int, **tags: Any) -> list[int]:
    """What some stored 12-bit values look like."""
    pixels = np.array([values], np.int16 if min(values) < 0 else np.uint16)
    return images.decode(dicom(pixels, bits=12, **tags))[0].tolist()


def test_8_bits_without_a_window_come_as_they_are_stored() -> None:
    np.testing.assert_array_equal(images.decode(dicom(GREY)), GREY, strict=True)


def test_deeper_images_without_a_window_fill_the_range_from_their_smallest_to_their_largest_value() -> None:
    assert shown(100, 600, 1100) == [0, 32768, WHITE]


def test_values_that_only_pad_the_image_do_not_count_for_its_range() -> None:
    assert shown(0, 100, 600, 1100, PixelPaddingValue=0) == [0, 0, 32768, WHITE]
    assert shown(0, 7, 100, 600, 1100, PixelPaddingValue=0, PixelPaddingRangeLimit=9) == [0, 0, 0, 32768, WHITE]


def test_an_image_of_one_value_is_black() -> None:
    assert shown(700, 700) == [0, 0]


def test_a_window_is_applied_over_the_full_range_of_16_bits() -> None:
    """PS3.3 C.11.2.1.2.1: black up to center − 0.5 − (width − 1) / 2, white from center − 0.5 + (width − 1) / 2."""
    values = shown(0, 1023, 1024, 2047, 2048, 3072, 4095, **window(2048, 2048))
    assert values[:2] == [0, 0]
    assert values[2] == 0
    assert values[3:5] == [round((1023 / 2047) * WHITE), round((1024 / 2047) * WHITE)]
    assert values[5:] == [WHITE, WHITE]


@pytest.mark.filterwarnings("ignore:overflow encountered in exp")  # in pydicom
@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(("center", "width"), [(2048, 4096), (1000, 300), (50.5, 20.25), (3000, 1)])
def test_each_window_function_is_the_one_that_pydicom_computes(function: str, center: float, width: float) -> None:
    data = dicom(RAMP, bits=12, **window(center, width, function))
    dataset = pydicom.dcmread(pydicom.filebase.DicomBytesIO(data))
    theirs = apply_windowing(RAMP, dataset).astype(np.float64) / 4095 * WHITE
    assert np.abs(images.decode(data) - theirs).max() <= 1


def test_of_several_windows_the_first_counts() -> None:
    one, two = window(500, 100), window([500, 2000], [100, 4000])
    np.testing.assert_array_equal(
        images.decode(dicom(RAMP, bits=12, **two)), images.decode(dicom(RAMP, bits=12, **one))
    )


def test_a_window_counts_for_8_bits_too() -> None:
    decoded = images.decode(dicom(GREY, **window(128, 128)))
    assert decoded.dtype == np.uint16
    assert (decoded[GREY <= 63] == 0).all()
    assert (decoded[GREY >= 192] == WHITE).all()


def test_half_a_window_is_none() -> None:
    np.testing.assert_array_equal(images.decode(dicom(GREY, WindowCenter=128)), GREY)


def test_rescaled_values_are_what_the_window_speaks_of() -> None:
    scaled = shown(0, 1000, 2000, RescaleSlope=2, RescaleIntercept=-1000, **window(1000.5, 4001))
    assert scaled == [0, 32768, WHITE]


def test_a_slope_without_a_value_is_none() -> None:
    assert shown(0, 1000, 2000, RescaleSlope="", RescaleIntercept="") == shown(0, 1000, 2000)


def test_a_negative_slope_inverts() -> None:
    assert shown(0, 2000, 4000, RescaleSlope=-1, RescaleIntercept=4000) == [WHITE, 32768, 0]


def test_a_modality_table_is_looked_up() -> None:
    lookup = table(10, 16, [0, 300, 100])
    assert shown(9, 10, 11, 12, 13, ModalityLUTSequence=lookup) == [0, 0, WHITE, 21845, 21845]


@pytest.mark.parametrize("words", [False, True], ids=["US", "OW"])
def test_a_table_of_values_of_interest_is_looked_up_and_comes_before_a_window(words: bool) -> None:
    lookup = table(100, 12, [0, 2047, 4095], words=words)
    expected = [0, 0, round(2047 / 4095 * WHITE), WHITE, WHITE]
    assert shown(0, 100, 101, 102, 4000, VOILUTSequence=lookup, **window(1, 1)) == expected


def test_monochrome1_is_inverted() -> None:
    data = dicom(GREY, PhotometricInterpretation="MONOCHROME1")
    np.testing.assert_array_equal(images.decode(data), 255 - GREY, strict=True)
    inverted = shown(0, 1000, 4095, PhotometricInterpretation="MONOCHROME1", **window(2048, 4096))
    assert inverted == [WHITE - each for each in shown(0, 1000, 4095, **window(2048, 4096))]


def test_signed_values_lie_on_both_sides_of_zero() -> None:
    assert shown(-2048, -1, 0, 2047, **window(0, 2, "LINEAR_EXACT")) == [0, 0, 32768, WHITE]
    assert shown(-2000, 0, 2000) == [0, 32768, WHITE]


def test_bits_beside_the_stored_ones_are_ignored() -> None:
    """Old files keep overlays there."""
    with_overlay = RAMP | np.uint16(0xA000)
    np.testing.assert_array_equal(images.decode(dicom(with_overlay, bits=12)), images.decode(dicom(RAMP, bits=12)))
    high = dicom(RAMP << 4, bits=12, HighBit=15)
    np.testing.assert_array_equal(images.decode(high), images.decode(dicom(RAMP, bits=12)))


@pytest.mark.parametrize("coding", LOSSLESS)
@pytest.mark.parametrize(
    ("pixels", "bits"),
    [(GREY, 8), (SMOOTH, 12), (SMOOTH * 16, 16), (SMOOTH.astype(np.int16) - 1000, 16)],
    ids=["8", "12", "16", "signed"],
)
def test_what_is_compressed_without_loss_looks_the_same(coding: str, pixels: npt.NDArray[Any], bits: int) -> None:
    plain = images.decode(dicom(pixels, bits=bits))
    np.testing.assert_array_equal(images.decode(dicom(pixels, bits=bits, coding=coding)), plain, strict=True)


@pytest.mark.parametrize(
    ("coding", "pixels", "bits"), [("jpeg baseline", SMOOTH // 11, 8), ("jpeg extended", SMOOTH, 12)]
)
def test_what_is_compressed_with_loss_looks_almost_the_same(coding: str, pixels: npt.NDArray[Any], bits: int) -> None:
    pixels = pixels.astype(np.uint8) if bits == 8 else pixels
    tags = window(2**bits / 2, 2**bits)
    plain = images.decode(dicom(pixels, bits=bits, **tags)).astype(int)
    assert np.abs(images.decode(dicom(pixels, bits=bits, coding=coding, **tags)) - plain).max() <= 2 * WHITE / 2**bits


@pytest.mark.parametrize("coding", [*LOSSLESS, *LOSSY])
def test_the_size_is_that_of_rows_and_columns(coding: str) -> None:
    assert images.header_size(dicom(GREY, coding=coding)) == (40, 48)


def test_implicit_types_are_read() -> None:
    np.testing.assert_array_equal(images.decode(dicom(GREY, implicit=True)), GREY)


def test_an_odd_number_of_bytes_is_padded() -> None:
    odd = GREY[:5, :7].copy()
    np.testing.assert_array_equal(images.decode(dicom(odd)), odd)


UNSUPPORTED = {
    "several frames": {"NumberOfFrames": 2},
    "colour": {"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3, "PlanarConfiguration": 0},
    "a palette": {"PhotometricInterpretation": "PALETTE COLOR"},
}


@pytest.mark.parametrize("tags", UNSUPPORTED.values(), ids=UNSUPPORTED)
def test_what_is_not_one_grey_frame_is_refused(tags: dict[str, Any]) -> None:
    for ask in (images.header_size, images.decode):
        with pytest.raises(errors.ImageFormatUnsupported, match="one grey frame"):
            ask(dicom(GREY, **tags))


@pytest.mark.parametrize("tag", ["NumberOfFrames", "BitsAllocated", "BitsStored", "HighBit", "Rows", "Columns"])
@pytest.mark.filterwarnings("ignore:Invalid value for VR IS")
def test_a_number_that_no_image_has_is_refused_and_not_repeated(tag: str) -> None:
    """Found by fuzzing: `1e308` is a number to pydicom, and has 309 digits."""
    dataset = pydicom.dcmread(io.BytesIO(dicom(GREY)))
    dataset[tag] = DataElement(tag, "IS", "1e308")
    for ask in (images.header_size, images.decode):
        with pytest.raises(errors.ImageCorrupt, match=f"{tag} holds a number that no image has$"):
            ask(saved(dataset, ExplicitVRLittleEndian))


def test_32_bits_are_refused() -> None:
    with pytest.raises(errors.ImageFormatUnsupported, match="32 bits"):
        images.decode(dicom(np.zeros((4, 4), np.uint32)))


@pytest.mark.parametrize("syntax", [DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, "1.2.840.10008.1.2.4.100"])
def test_another_transfer_syntax_is_refused_before_anything_is_parsed(syntax: str) -> None:
    explicit, other = (name.encode() + b"\0" * (len(name) % 2) for name in (ExplicitVRLittleEndian, syntax))
    before, after = dicom(GREY).split(len(explicit).to_bytes(2, "little") + explicit)
    with pytest.raises(errors.ImageFormatUnsupported, match="is stored as"):
        images.decode(before + len(other).to_bytes(2, "little") + other + after)


def test_a_document_without_an_image_is_refused() -> None:
    nothing = dict.fromkeys(["Rows", "Columns", "BitsAllocated", "PixelData"])
    with pytest.raises(errors.ImageFormatUnsupported, match="holds no image"):
        images.decode(dicom(GREY, **nothing))


def test_an_image_without_pixels_is_cut_off() -> None:
    with pytest.raises(errors.ImageCorrupt, match="no pixel data"):
        images.decode(dicom(GREY, PixelData=None))


CONTRADICTIONS = {
    "too few pixels": {"Rows": 49},
    "no rows": {"Rows": 0},
    "more bits than allocated": {"BitsStored": 12, "HighBit": 11},
    "a high bit below the stored ones": {"HighBit": 3},
    "a window of no width": window(100, 0),
    "a window of negative width": window(100, -5, "SIGMOID"),
    "an unknown window function": window(100, 50, "CUBIC"),
    "a table that is too short": {"VOILUTSequence": table(0, 8, [0, 1, 2], entries=300)},
    "no number of bits": {"BitsAllocated": None},
}


@pytest.mark.parametrize("tags", CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_contradiction_is_damage(tags: dict[str, Any]) -> None:
    with pytest.raises(errors.ImageCorrupt):
        images.decode(dicom(GREY, **tags))


@pytest.mark.parametrize("coding", [*LOSSLESS, *LOSSY])
def test_a_compressed_stream_of_another_size_claims_no_memory(coding: str) -> None:
    """A stream of 48 × 40 in a file that says 4 × 4, as a stream of 60,000 × 60,000 would be."""
    with pytest.raises(errors.ImageCorrupt):
        images.decode(dicom(GREY, coding=coding, Rows=4, Columns=4))


@pytest.mark.parametrize("coding", ["jpeg baseline", "jpeg 2000"])
def test_a_compressed_stream_in_colour_is_refused(coding: str) -> None:
    colour = np.stack([GREY] * 3, axis=-1)
    stream = (
        imagecodecs.jpeg8_encode(colour)
        if coding == "jpeg baseline"
        else imagecodecs.jpeg2k_encode(colour, codecformat="j2k")
    )
    with pytest.raises(errors.ImageCorrupt):
        images.decode(dicom(GREY, coding=coding, PixelData=encapsulate([bytes(stream)])))


def test_messages_never_quote_the_file() -> None:
    with pytest.raises(errors.ImageError) as caught:
        images.decode(dicom(GREY, BitsAllocated=None, WindowCenter=1, PatientName="Example^Secret"))
    assert "Secret" not in str(caught.value)


def test_a_real_inverted_radiograph_equals_its_original() -> None:
    folder = shared_path("real_cxr/dicom")
    original, relabelled = (next(folder.glob(pattern)).read_bytes() for pattern in ("siim*", "Fake*"))
    np.testing.assert_array_equal(images.decode(relabelled), 255 - images.decode(original))


def test_a_real_inverted_radiograph_of_15_bits_shows_what_pydicom_computes() -> None:
    path = shared_path("real_cxr/dicom/RG1_J2KI.dcm")
    decoded = images.decode(path.read_bytes())
    dataset = pydicom.dcmread(path)
    stored = imagecodecs.jpeg2k_decode(next(pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=1)))
    windowed = apply_windowing(apply_modality_lut(stored, dataset), dataset) / (2**15 - 1)
    assert decoded.dtype == np.uint16
    assert np.abs(decoded - (1 - windowed) * WHITE).max() <= 1
    assert decoded[: len(decoded) // 20].mean() < decoded.mean()  # air above the shoulders is dark
