"""Grey pixels of any size → the frame that the encoder sees. NumPy and OpenCV only."""

import cv2
import numpy as np
import numpy.typing as npt

from wronglung.geometry import Frame, letterbox
from wronglung.model.config import PreprocessConfig

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


def check_pixels(pixels: npt.NDArray[np.generic]) -> None:
    """Raise ValueError unless `pixels` is a non-empty H × W array of uint8 or uint16."""
    if pixels.ndim != 2 or pixels.size == 0:
        raise ValueError(f"expected a grey image as a non-empty H x W array, got shape {pixels.shape}")
    if pixels.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"expected uint8 or uint16 pixels, got {pixels.dtype}")


def stretch_range(pixels: Pixels) -> npt.NDArray[np.uint8]:
    """Stretch the image's minimum … maximum to 0 … 255 (truncating); a constant image becomes 0."""
    low, high = int(pixels.min()), int(pixels.max())
    if low == high:
        return np.zeros(pixels.shape, np.uint8)
    stretched: npt.NDArray[np.uint8] = ((pixels.astype(np.float64) - low) / (high - low) * 255).astype(np.uint8)
    return stretched


def to_square(pixels: Pixels, frame: Frame, side: int) -> Pixels:
    """Resize (area filter, grey levels rounded) and zero-pad to a square of `side` pixels: the uncropped frame."""
    size = (frame.resized_width, frame.resized_height)
    resized = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    left, top = (side - frame.resized_width) // 2, (side - frame.resized_height) // 2
    square = np.zeros((side, side), pixels.dtype)
    square[top : top + frame.resized_height, left : left + frame.resized_width] = resized
    return square


def to_unit_range(pixels: Pixels, config: PreprocessConfig) -> npt.NDArray[np.float32]:
    """Scale the full range of the pixel type to [0, 1], then normalise by mean and standard deviation."""
    unit = pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)
    return (unit - np.float32(config.mean)) / np.float32(config.std)


def preprocess(pixels: Pixels, config: PreprocessConfig) -> tuple[npt.NDArray[np.float32], Frame]:
    """Bring an image into the frame.

    Args:
        pixels: H × W uint8 or uint16; uint16 means the full range 0 … 65535 unless the config stretches it.
        config: the model's options.

    Returns:
        The normalised frame, (crop, crop) float32, and where it lies in the image.

    Raises:
        ValueError: `pixels` has another shape or type.
    """
    check_pixels(pixels)
    height, width = pixels.shape
    frame = letterbox(width, height, longer_side=config.longer_side, crop=config.crop)
    square = to_square(stretch_range(pixels) if config.stretch else pixels, frame, config.longer_side)
    cut = (config.longer_side - config.crop) // 2
    return to_unit_range(square[cut : cut + config.crop, cut : cut + config.crop], config), frame
