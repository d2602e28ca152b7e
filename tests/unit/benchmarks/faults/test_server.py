"""Whatever can be served can be hurt."""

from benchmarks.faults.server import SIGNS
from wronglung.backends import BACKENDS


def test_the_parts_of_every_backend_are_known() -> None:
    assert SIGNS.keys() == BACKENDS.keys()
