"""Embeddings that are kept, the least recently used given up first, within a bound in bytes."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from wronglung.model.architecture import Embedding

_ENTRY_BYTES = 1536
"""What an entry takes beside its numbers (key, tensor objects, bookkeeping), measured for two tensors and short keys.
With a small model that is most of it."""
KeyT = TypeVar("KeyT", bound=Hashable)
ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True)
class CacheFigures:
    """What a cache has done since it was made, and what it holds now."""

    hits: int
    misses: int
    evictions: int
    bytes: int
    """Held now, keys and bookkeeping included."""


class EmbeddingCache:
    """Keeps embeddings by key. Safe to use from several threads, each of which may find what another one put in.

    Args:
        limit_bytes: never more than this is held; what is larger by itself is not kept, and with 0 nothing is.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Give up everything and count from 0 again."""
        with self._lock:
            self._kept: OrderedDict[Hashable, Embedding] = OrderedDict()
            self._hits = self._misses = self._evictions = self._bytes = 0

    def figures(self) -> CacheFigures:
        """Counters and bytes held."""
        with self._lock:
            return CacheFigures(self._hits, self._misses, self._evictions, self._bytes)

    def resolve(
        self, wanted: Mapping[KeyT, ItemT], encode: Callable[[list[ItemT]], list[Embedding]]
    ) -> dict[KeyT, Embedding]:
        """The embedding of every wanted item: those that are kept, the others by one call of `encode`.

        Args:
            wanted: the items by key; each key counts as one hit or one miss.
            encode: embeddings of the items given, in their order. Not called for nothing.
        """
        found = {key: kept for key in wanted if (kept := self._get(key)) is not None}
        missing = [key for key in wanted if key not in found]
        if missing:
            for key, embedding in zip(missing, encode([wanted[key] for key in missing]), strict=True):
                found[key] = embedding
                self._put(key, embedding)
        return found

    def _get(self, key: Hashable) -> Embedding | None:
        with self._lock:
            if key not in self._kept:
                self._misses += 1
                return None
            self._hits += 1
            self._kept.move_to_end(key)
            return self._kept[key]

    def _put(self, key: Hashable, embedding: Embedding) -> None:
        size = size_bytes(embedding)
        with self._lock:
            if size > self._limit or key in self._kept:
                return
            self._kept[key] = embedding
            self._bytes += size
            while self._bytes > self._limit:
                _, given_up = self._kept.popitem(last=False)
                self._bytes -= size_bytes(given_up)
                self._evictions += 1


def size_bytes(embedding: Embedding) -> int:
    """Memory of one entry, whose tensors own their storage."""
    return _ENTRY_BYTES + sum(tensor.untyped_storage().nbytes() for tensor in embedding)
