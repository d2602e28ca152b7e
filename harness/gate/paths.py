"""Finds a number of `summary.json` by its path. Names may hold dots themselves ("gloria-1.0")."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.gate.conditions import COUNTS
from harness.summary.estimates import Tree
from wronglung.keys import suggest


class NoSuchNumber(LookupError):
    """The run has no number of this path. The message says where the path leaves the tree."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number with its 95 % interval; a count is exact."""

    mean: float
    low: float
    high: float
    patients: int | None
    """None for a count: it is no sample's mean."""

    def __str__(self) -> str:
        return f"{self.mean:.0f}" if self.patients is None else f"{self.mean:.4f} [{self.low:.4f}, {self.high:.4f}]"


def number_at(summary: Tree, path: str) -> Number:
    """The number of a path.

    Raises:
        NoSuchNumber: there is none, or it is null.
    """
    section = path.partition(".")[0]
    tree = {section: _counts(summary, section)} if section in COUNTS else summary
    keys = keys_of(tree, path)
    node: Any = tree
    for key in keys:
        node = node[key]
    if section in COUNTS:
        return _exact(_total(node))
    if isinstance(node, int | float):
        return _exact(node)
    return estimate(node, path)


def estimate(node: Any, path: str) -> Number:
    """An estimate of `summary.json` as a number.

    Raises:
        NoSuchNumber: the node is none, or its value is null.
    """
    if not (isinstance(node, Mapping) and "ci95" in node):
        keys = f": go on with one of {', '.join(sorted(node))}" if isinstance(node, Mapping) else ""
        raise NoSuchNumber(f"{path} is no number{keys}")
    low, high = node["ci95"]
    if node["mean"] is None or low is None or high is None or low != low or high != high:
        raise NoSuchNumber(f"{path} has no value: nothing was answered that it could be computed from")
    return Number(node["mean"], low, high, node["patients"])


def keys_of(tree: Mapping[str, Any], path: str) -> tuple[str, ...]:
    """The keys that lead from the root to the node of a path.

    Raises:
        NoSuchNumber: no keys do.
    """
    ways = [keys for keys, rest in _walk(tree, path, ()) if not rest]
    if ways:
        return ways[0]
    keys, rest = max(_walk(tree, path, ()), key=lambda way: len(way[0]), default=((), path))
    node: Any = tree
    for key in keys:
        node = node[key]
    where = ".".join(keys) or "summary.json"
    known = suggest(rest.partition(".")[0], node) if isinstance(node, Mapping) and node else ": it holds nothing"
    raise NoSuchNumber(f"{where} has no {rest!r}{known}")


def _walk(node: Any, path: str, keys: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every way into the tree along the path: the keys that were taken, and what is left of the path."""
    for key in node if isinstance(node, Mapping) else ():
        if path == key or path.startswith(f"{key}."):
            way = (*keys, key), path[len(key) + 1 :]
            yield way
            if way[1]:
                yield from _walk(node[key], way[1], way[0])


def _counts(summary: Tree, section: str) -> Tree:
    """model → perturbation → how many, 0 where nothing was counted, so that a name that is not there is noticed."""
    counted = summary[section]
    return {
        model: {arm: _total(counted.get(model, {}).get(arm, {})) for arm in arms}
        for model, arms in summary["models"].items()
    }


def _total(node: Any) -> int:
    return sum(map(_total, node.values())) if isinstance(node, Mapping) else int(node)


def _exact(count: float) -> Number:
    return Number(count, count, count, None)
