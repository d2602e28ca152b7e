"""Which cores the server has, and which the generator of load."""

import os
from typing import NamedTuple

import psutil


class Cores(NamedTuple):
    """Two sets without a common core."""

    server: frozenset[int]
    generator: frozenset[int]


def one_each() -> Cores:
    """One core for the server and another for the generator.

    Raises:
        RuntimeError: this process may use fewer than two.
    """
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise RuntimeError("a server and its load need a core each, and this process may use only one")
    return Cores(frozenset(cores[:1]), frozenset(cores[1:2]))


def stay_on(cores: frozenset[int]) -> None:
    """Pin every thread of this process."""
    for thread in psutil.Process().threads():
        os.sched_setaffinity(thread.id, cores)
