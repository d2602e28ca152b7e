import io

import numpy as np
import pytest
from PIL import Image

from harness.dataset.phantom.png import encode_png


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (400, 7)])
def test_another_decoder_reads_the_same_pixels(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encode_png(pixels)))), pixels)


def test_a_view_with_strides_is_encoded_as_it_reads() -> None:
    pixels = np.arange(60, dtype=np.uint8).reshape(6, 10)
    assert encode_png(pixels[:, ::-1]) == encode_png(pixels[:, ::-1].copy())


@pytest.mark.parametrize(
    "pixels", [np.zeros((2, 2)), np.zeros((2, 2, 3), np.uint8), np.zeros((0, 4), np.uint8), np.zeros((2, 2), np.uint16)]
)
def test_what_is_no_grey_image_is_refused(pixels: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8"):
        encode_png(pixels)
