"""JPEG-LS is decoded in a process of its own, which is given a time: a damaged stream can hold the decoder up.

A flipped byte in a stream of 80 x 96 pixels was seen to keep CharLS busy for seconds, and the time grows with the
image. Such a call can be ended from outside only. The other decoders were not seen to do this.
"""

import subprocess
import sys

import numpy as np
import numpy.typing as npt

from wronglung.errors import ImageCorrupt

_PROGRAM = """
import sys, imagecodecs
sys.stdout.buffer.write(imagecodecs.jpegls_decode(sys.stdin.buffer.read()).tobytes())
"""
_SECONDS = 10.0
_SECONDS_PER_MEGAPIXEL = 1.0
"""An intact image takes some 20 ms a megapixel."""


def decode_jpeg_ls(stream: bytes, width: int, height: int, bits: int) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    """Decode a grey JPEG-LS stream whose header says what the arguments say; (height, width).

    Raises:
        ImageCorrupt: the decoder failed, or took far longer than an intact stream takes.
    """
    allowed_s = _SECONDS + _SECONDS_PER_MEGAPIXEL * width * height / 1e6
    command = [sys.executable, "-P", "-c", _PROGRAM]
    try:
        done = subprocess.run(command, input=stream, capture_output=True, check=True, timeout=allowed_s)  # noqa: S603 - a fixed program
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise ImageCorrupt("the DICOM image's JPEG-LS stream is damaged: send the whole file", field="image") from error
    if bits <= 8:
        return np.frombuffer(done.stdout, np.uint8).reshape(height, width)
    return np.frombuffer(done.stdout, np.uint16).reshape(height, width)
