"""JPEG of 8 bits → grey, by libjpeg-turbo, which is taken at its word when it warns.

Where data end early, or make no sense, libjpeg only warns and fills the rest with grey: half of a radiograph would pass
for a whole one. Pillow and imagecodecs drop these warnings; `simplejpeg` hands them on.
"""

import numpy as np
import numpy.typing as npt
import simplejpeg


def decode_grey(data: bytes) -> npt.NDArray[np.uint8]:
    """Luma (height, width) of a baseline or progressive JPEG of 8 bits, its EXIF orientation not applied.

    Raises:
        ValueError: it is damaged, if only in a way that libjpeg would bear.
    """
    grey: npt.NDArray[np.uint8] = simplejpeg.decode_jpeg(data, "GRAY", strict=True)[..., 0]
    return grey
