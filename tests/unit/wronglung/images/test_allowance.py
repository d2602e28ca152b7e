"""Damaged streams that only time can end take time from their like, and from nothing else."""

import numpy as np
import pytest

from tests.dicom_files import dicom
from wronglung import errors, images
from wronglung.gateway.load import Capacity, Load
from wronglung.images import allowance, isolated
from wronglung.images.allowance import Allowance

PIXELS = np.random.default_rng(2).integers(0, 256, (60, 80), dtype=np.uint8)
NATIVE = dicom(PIXELS)
ISOLATED = [dicom(PIXELS, coding=coding) for coding in ("jpeg-ls", "jpeg 2000")]


@pytest.fixture
def exhausted(monkeypatch: pytest.MonkeyPatch) -> Allowance:
    """What is left after a stream that hung."""
    monkeypatch.setattr(allowance, "_MOST_LOST_S", 0.05)
    impatient = Allowance()
    with monkeypatch.context() as hanging:
        hanging.setattr(isolated, "_PROGRAM", "import time; time.sleep(60)")
        hanging.setattr(isolated, "limits", lambda *_: (1.0, 0.2))
        with pytest.raises(errors.ImageCorrupt):
            impatient.decode(ISOLATED[0])
    return impatient


@pytest.mark.parametrize("image", ISOLATED)
def test_their_like_may_be_sent_again(exhausted: Allowance, image: bytes) -> None:
    with pytest.raises(errors.Overloaded) as caught:
        exhausted.decode(image)
    assert caught.value.retry_after_ms > 0


def test_other_images_are_decoded_all_the_same(exhausted: Allowance) -> None:
    np.testing.assert_array_equal(exhausted.decode(NATIVE), images.decode(NATIVE))


def test_what_is_wrong_with_an_image_is_still_said(exhausted: Allowance) -> None:
    for image in (b"", b"text", ISOLATED[0][:200]):
        with pytest.raises(errors.ImageError):
            exhausted.decode(image)


def test_quick_damage_takes_nothing() -> None:
    patient = Allowance()
    for _ in range(20):
        with pytest.raises(errors.ImageCorrupt):
            patient.decode(ISOLATED[0][:-600])
    for image in ISOLATED:
        np.testing.assert_array_equal(patient.decode(image), images.decode(image))


def test_the_next_batch_begins_anew(exhausted: Allowance) -> None:
    np.testing.assert_array_equal(Allowance().decode(ISOLATED[0]), images.decode(ISOLATED[0]))


def test_what_is_lost_at_most_does_not_make_a_worker_look_hung() -> None:
    _, longest_s = isolated.limits("jpeg2k", 10_000, 10_000)
    lone = Load.of_request(sentences=1, pixels=1, size=1)
    assert allowance._MOST_LOST_S + longest_s < Capacity.for_model(1, 8, 100).patience_s(lone)
