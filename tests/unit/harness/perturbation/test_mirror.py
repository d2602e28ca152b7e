"""mirror_image and mirror_both: pixels and boxes are flipped together."""

import numpy as np

from harness.case import Box
from harness.mask import decode as decode_mask
from harness.mask import encode
from harness.perturbation.mirror import Mirror, mirror_box, mirror_record
from tests.harness_fakes import RIGHT_LUNG, WIDTH, record, sentence
from wronglung.images import decode


def test_the_flipped_image_holds_the_same_pixels_the_other_way_round():
    original = record(3)
    np.testing.assert_array_equal(decode(mirror_record(original).load()), decode(original.load())[:, ::-1])


def test_a_box_keeps_its_pixels_and_its_name():
    flipped = mirror_box(RIGHT_LUNG, WIDTH)
    assert (flipped.name, flipped.xyxy) == ("right lung", (180, 30, 300, 220))
    assert mirror_box(flipped, WIDTH) == RIGHT_LUNG


def test_a_mask_is_flipped_with_its_box():
    bitmap = np.array([[True, False, False], [True, True, False]])
    flipped = mirror_box(Box("nodule", 10, 20, 13, 22, encode(bitmap)), WIDTH)
    assert flipped.xyxy == (WIDTH - 13, 20, WIDTH - 10, 22)
    assert (decode_mask(flipped.mask) == bitmap[:, ::-1]).all()


def test_only_mirror_both_swaps_the_sentence():
    study = record(0, sentence("s", "Right effusion.", RIGHT_LUNG))
    texts = [Mirror(name, swap).cases(study)[0].text for name, swap in (("mirror_image", False), ("mirror_both", True))]
    assert texts == ["Right effusion.", "Left effusion."]


def test_a_flipped_image_has_an_id_of_its_own():
    (case,) = Mirror("mirror_image", swap_text=False).cases(record(0, sentence("s", "Text.", RIGHT_LUNG)))
    assert case.image.image_id != "image0"
    assert case.sentence.sentence_id == "s"


def test_a_sentence_whose_side_cannot_be_swapped_is_not_mirrored_with_the_image():
    """After the flip the middle lobe lies on the left, where no words call it by its name."""
    study = record(0, sentence("rml", "Opacity in the RML.", RIGHT_LUNG))
    (both,) = Mirror("mirror_both", swap_text=True).cases(study)
    assert (both.applicable, both.reason) == (False, "names the RML, which has no counterpart")
    (image_alone,) = Mirror("mirror_image", swap_text=False).cases(study)
    assert image_alone.applicable
