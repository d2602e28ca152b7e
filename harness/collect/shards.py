"""Which images belong to which shard of a run.

A shard is one of n processes that collect a run together. An image belongs to the shard whose number is the first eight
bytes of the SHA-256 of its id, as a big-endian number, modulo n: it depends on nothing but the id and n.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.case import ImageRecord


@dataclass(frozen=True, slots=True, order=True)
class Shard:
    """Number `index` of `count` shards, from 0.

    Raises:
        ValueError: there is no such shard.
    """

    count: int
    index: int

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.count:
            raise ValueError(f"there is no shard {self}: of n shards the first is 0/n and the last (n−1)/n")

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Read ``i/n``.

        Raises:
            ValueError: it is nothing of this form, or there is no such shard.
        """
        match = re.fullmatch(r"(\d+)/(\d+)", text)
        if match is None:
            raise ValueError(f"a shard is written i/n, such as 0/4 for the first of four, not {text!r}")
        return cls(count=int(match[2]), index=int(match[1]))

    @property
    def folder(self) -> str:
        """The name of its folder in `shards/`."""
        return f"{self.index}-of-{self.count}"


def owner_of(image_id: str, count: int) -> int:
    """The number of the shard, of `count`, that an image belongs to."""
    return int.from_bytes(hashlib.sha256(image_id.encode()).digest()[:8], "big") % count


def owners(records: Iterable[ImageRecord], count: int) -> npt.NDArray[np.int32]:
    """(N,) the number of the shard, of `count`, that each record belongs to."""
    return np.fromiter((owner_of(record.image_id, count) for record in records), dtype=np.int32)


WHOLE = Shard(count=1, index=0)
"""A run that one process collects alone."""
