"""JPEG-LS and JPEG 2000 are decoded in a process of their own, which is given time and memory.

A flipped byte in a JPEG-LS stream of 80 x 96 pixels was seen to keep CharLS busy for seconds, and the time grows with
the image; 760 bytes of JPEG 2000 that name 62,500 tiles took OpenJPEG 1.5 s and 600 MiB. Such a call can be ended from
outside only. The other decoders were not seen to do this.
"""

import subprocess
import sys
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from wronglung.errors import ImageCorrupt

Codec = Literal["jpegls", "jpeg2k"]
"""As imagecodecs calls them."""

_PROGRAM = """
import sys, imagecodecs
codec, seconds, more_bytes = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
stream = sys.stdin.buffer.read()
if sys.platform == "linux":
    import resource, signal
    with open("/proc/self/statm") as statm:
        taken = int(statm.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + more_bytes, taken + more_bytes))
    signal.setitimer(signal.ITIMER_PROF, seconds)
if codec == "jpegls":
    pixels = imagecodecs.jpegls_decode(stream)
else:
    pixels = imagecodecs.jpeg2k_decode(stream, numthreads=1)
sys.stdout.buffer.write(pixels.data)
"""
_CPU_SECONDS = 1.0
_CPU_SECONDS_PER_MEGAPIXEL: dict[Codec, float] = {"jpegls": 0.1, "jpeg2k": 0.5}
"""An intact image takes 0.02 s a megapixel in JPEG-LS, and 0.06 to 0.13 s in JPEG 2000; noise takes 0.06 and 0.23 s."""
_MOST_CPU_SECONDS = 30.0
_SECONDS = 10.0
_SECONDS_PER_CPU_SECOND = 5.0
"""Where other work takes the processor."""
_MOST_SECONDS = 40.0
"""Less than a worker may be silent before it counts as hanging (`wronglung.gateway.load`): one image is no reason."""
_BYTES = 128 << 20
_BYTES_PER_PIXEL = 24
"""OpenJPEG holds an image as 32-bit numbers twice."""


def limits(codec: Codec, width: int, height: int) -> tuple[float, float]:
    """How long an image of this size may take, in seconds of CPU time and by the clock."""
    cpu_s = min(_MOST_CPU_SECONDS, _CPU_SECONDS + _CPU_SECONDS_PER_MEGAPIXEL[codec] * width * height / 1e6)
    return cpu_s, min(_MOST_SECONDS, _SECONDS + _SECONDS_PER_CPU_SECOND * cpu_s)


def decode(codec: Codec, stream: bytes, width: int, height: int) -> npt.NDArray[Any]:
    """Decode a grey stream whose own header says the same size; the bits as unsigned numbers, (height, width).

    Raises:
        ImageCorrupt: the decoder failed, or took far more time or memory than an intact stream takes.
    """
    cpu_s, allowed_s = limits(codec, width, height)
    more_bytes = _BYTES + _BYTES_PER_PIXEL * width * height
    command = [sys.executable, "-P", "-c", _PROGRAM, codec, str(cpu_s), str(more_bytes)]
    try:
        done = subprocess.run(command, input=stream, capture_output=True, check=True, timeout=allowed_s)  # noqa: S603 - a fixed program
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise ImageCorrupt(
            "the DICOM image's compressed stream is damaged: send the whole file", field="image"
        ) from error
    return np.frombuffer(done.stdout, f"u{len(done.stdout) // (width * height)}").reshape(height, width)
