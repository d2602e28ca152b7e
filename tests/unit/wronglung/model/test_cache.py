"""What a cache of embeddings promises: its bound, its order, its counts."""

import threading

import torch

from wronglung.model.architecture import Embedding
from wronglung.model.cache import CacheFigures, EmbeddingCache, size_bytes


def embedding(value: float) -> Embedding:
    return (torch.full((256,), value),)


SIZE = size_bytes(embedding(0))


def resolve(cache: EmbeddingCache, *values: int) -> list[int]:
    """Ask for embeddings of numbers; returns those that had to be encoded."""
    encoded: list[int] = []

    def encode(items: list[int]) -> list[Embedding]:
        encoded.extend(items)
        return [embedding(item) for item in items]

    found = cache.resolve({str(value): value for value in values}, encode)
    assert {key: float(tensor[0]) for key, (tensor,) in found.items()} == {str(v): float(v) for v in values}
    return encoded


def test_what_is_kept_is_not_encoded_again() -> None:
    cache = EmbeddingCache(10 * SIZE)
    assert resolve(cache, 1, 2) == [1, 2]
    assert resolve(cache, 2, 3, 1) == [3]
    assert cache.figures() == CacheFigures(hits=2, misses=3, evictions=0, bytes=3 * SIZE)


def test_the_least_recently_used_is_given_up_first() -> None:
    cache = EmbeddingCache(2 * SIZE)
    resolve(cache, 1)
    resolve(cache, 2)
    resolve(cache, 1)
    resolve(cache, 3)
    assert resolve(cache, 1, 3) == []
    assert resolve(cache, 2) == [2]
    assert cache.figures().evictions == 2


def test_never_more_is_held_than_allowed_and_a_call_gets_all_it_asked_for() -> None:
    cache = EmbeddingCache(3 * SIZE + SIZE // 2)
    resolve(cache, *range(10))
    assert cache.figures() == CacheFigures(hits=0, misses=10, evictions=7, bytes=3 * SIZE)


def test_what_is_too_large_by_itself_is_not_kept_and_displaces_nothing() -> None:
    cache = EmbeddingCache(2 * SIZE)
    resolve(cache, 1)
    cache.resolve({"large": 0}, lambda _: [(torch.zeros(4096),)])
    assert cache.figures() == CacheFigures(hits=0, misses=2, evictions=0, bytes=SIZE)


def test_without_room_nothing_is_kept() -> None:
    cache = EmbeddingCache(0)
    assert resolve(cache, 1) == resolve(cache, 1) == [1]
    assert cache.figures() == CacheFigures(hits=0, misses=2, evictions=0, bytes=0)


def test_clearing_forgets_embeddings_and_counts() -> None:
    cache = EmbeddingCache(2 * SIZE)
    resolve(cache, 1)
    cache.clear()
    assert cache.figures() == CacheFigures(0, 0, 0, 0)
    assert resolve(cache, 1) == [1]


def test_threads_may_share_it() -> None:
    cache = EmbeddingCache(5 * SIZE)
    threads = [threading.Thread(target=lambda: [resolve(cache, i % 9, i % 4) for i in range(300)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    figures = cache.figures()
    assert figures.bytes == 5 * SIZE
    assert figures.hits + figures.misses == sum(len({i % 9, i % 4}) for i in range(300)) * 4
