"""What a request weighs, and how much of that one model may have at TorchServe at once."""

from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

from wronglung.limits import LIMITS

_PIXELS_PER_UNIT = 10_000_000
_SHORTEST_PATIENCE_S = 45.0
_SECONDS_PER_UNIT = 2.0
"""Generously: a sentence takes the full-size model less, and 10 megapixels of JPEG 2000 take 0.7 to 2 s to decode."""
_BEFORE_TORCHSERVE = 0.9
"""Of the time after which TorchServe kills the worker itself."""
_SLOWEST_UNIT_S = 0.2
"""In the network of the full-size model on one core: an image, or the longest sentence (docs/service-levels.md)."""


class Load(NamedTuple):
    """What one request weighs, or many together."""

    requests: int = 0
    units: int = 0
    """Work: 1 per image, 1 per sentence, 1 per 10 megapixels."""
    bytes: int = 0
    """Size of the messages."""

    @classmethod
    def of_request(cls, sentences: int, pixels: int, size: int) -> "Load":
        """The load of one request with so many sentences, pixels and bytes."""
        return cls(1, 1 + sentences + ceil(pixels / _PIXELS_PER_UNIT), size)

    def plus(self, other: "Load", sign: int = 1) -> "Load":
        """Sum (or, with -1, difference)."""
        return Load(*(mine + sign * theirs for mine, theirs in zip(self, other, strict=True)))

    def least(self, other: "Load") -> "Load":
        """Of each part the smaller one."""
        return Load(*(min(mine, theirs) for mine, theirs in zip(self, other, strict=True)))

    def beyond(self, other: "Load") -> "Load":
        """By how much each part is larger; 0 where it is not."""
        return Load(*(max(0, mine - theirs) for mine, theirs in zip(self, other, strict=True)))

    def share_of(self, total: "Load") -> float:
        """How much of `total` it takes up, by the part of which it takes most; 0…1 for what is within it."""
        return max(mine / whole for mine, whole in zip(self, total, strict=True))

    def half(self) -> "Load":
        """Half of it, rounded down, but at least one request."""
        return Load(max(1, self.requests // 2), self.units // 2, self.bytes // 2)

    def within(self, limit: "Load") -> bool:
        """Whether no part passes the limit."""
        return all(mine <= bound for mine, bound in zip(self, limit, strict=True))


HEAVIEST = Load.of_request(LIMITS.sentences, LIMITS.image_pixels, LIMITS.message_bytes)
"""The heaviest request that passes the limits."""
_BYTES = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Capacity:
    """What may be at TorchServe at once for one model."""

    total: Load
    reserved: int
    """Requests of `total` that streams leave to unary calls, so that they do not starve them."""
    response_s: float = 120.0
    """A worker that takes longer for one batch is killed by TorchServe, in seconds."""

    @classmethod
    def for_model(cls, workers: int, batch_size: int, queue_size: int, response_s: float = 120.0) -> "Capacity":
        """One batch in work and one waiting for each worker, at least 8 requests, and no more than the queue holds.

        Of work, the heaviest request twice for each worker; but with several workers no more than the slowest network
        gets done before TorchServe kills a worker, since all of it may be one batch of one of them.
        """
        requests = min(max(8, 2 * workers * batch_size), queue_size)
        in_time = int(_BEFORE_TORCHSERVE * response_s / _SLOWEST_UNIT_S)
        units = max(2 * HEAVIEST.units, min(2 * HEAVIEST.units * workers, in_time))
        return cls(Load(requests, units, _BYTES), requests // 4, response_s)

    def patience_s(self, load: Load) -> float:
        """How long, in seconds, a model that works may answer nothing while it has this load.

        All of the load may be one batch, which is answered as a whole. Where TorchServe waits no longer than that for
        a batch, it comes first.
        """
        return max(_SHORTEST_PATIENCE_S, min(_SECONDS_PER_UNIT * load.units, _BEFORE_TORCHSERVE * self.response_s))
