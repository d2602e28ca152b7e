"""What is sent: an image with its sentences, and where to."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from wronglung.v1 import alignment_pb2 as pb
from wronglung.wire import validate_request

Image = bytes | str | Path | npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class AlignItem:
    """One encoded image with its sentences, as it is streamed. `request_id` is unique among the items in flight."""

    request_id: str
    image: bytes
    sentences: Sequence[str]
    model: str = "encoder"
    version: str = ""
    word_maps: bool = False

    def to_pb(self) -> pb.AlignRequest:
        """Write the request.

        Raises:
            InvalidRequest: it passes a limit of the contract.
        """
        request = pb.AlignRequest(
            request_id=self.request_id,
            model_name=self.model,
            model_version=self.version,
            image=self.image,
            sentences=self.sentences,
            options=pb.AlignOptions(word_maps=self.word_maps),
        )
        validate_request(request)
        return request


def encoded(image: Image) -> bytes:
    """The bytes to send: as they are, of a file, or an H × W array of uint8 or uint16 as PNG.

    Raises:
        OSError: the file cannot be read.
        ValueError: the array has another shape or type.
    """
    if isinstance(image, bytes):
        return image
    if isinstance(image, (str, Path)):
        return Path(image).read_bytes()
    if image.ndim != 2 or image.size == 0 or image.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"expected a grey H x W array of uint8 or uint16, got {image.dtype} of shape {image.shape}")
    from PIL import Image as Pillow

    file = io.BytesIO()
    Pillow.fromarray(image).save(file, "PNG", compress_level=1)
    return file.getvalue()
