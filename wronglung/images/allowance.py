"""How much time damaged streams may cost the images beside them.

One damaged stream may keep its decoder busy for as long as `isolated` allows, and is then refused. Several in one
batch would add up until the worker looked hung and were replaced, and everything in the batch with it.
"""

import threading
import time

from wronglung.errors import RETRY_MS, ImageCorrupt, ImageError, Overloaded
from wronglung.images import Pixels, decode, decoded_in_isolation

_MOST_LOST_S = 2.0
"""Seconds of decoders, which may run at the same time. With one more at its longest (`isolated`), less than the
shortest time a model may be silent (`gateway.load`)."""


class Allowance:
    """What damaged streams may cost one batch. Its images may be decoded by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lost_s = 0.0

    def decode(self, data: bytes) -> Pixels:
        """Decode an image, see `wronglung.images.decode`.

        Raises:
            ImageError: as there.
            Overloaded: damaged streams have taken the batch's time, and this image would be decoded as they were.
        """
        if self._lost_s > _MOST_LOST_S and decoded_in_isolation(data):
            raise Overloaded("damaged images took this image's time: send it again", retry_after_ms=RETRY_MS)
        started = time.monotonic()
        try:
            return decode(data)
        except ImageCorrupt:
            lost_s = time.monotonic() - started
            if _is_isolated(data):
                with self._lock:
                    self._lost_s += lost_s
            raise


def _is_isolated(damaged: bytes) -> bool:
    try:
        return decoded_in_isolation(damaged)
    except ImageError:  # its header was the damage
        return False
