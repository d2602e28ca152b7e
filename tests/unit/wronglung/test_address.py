"""Specification of addresses."""

import pytest

from wronglung.address import address, is_on_this_machine


def test_addresses_of_both_kinds() -> None:
    assert address("127.0.0.1", 1) == "127.0.0.1:1"
    assert address("::1", 1) == "[::1]:1"


@pytest.mark.parametrize(
    "target",
    [
        *("127.0.0.1:8500", "127.9.9.9:1", "localhost:8500", "localhost", "[::1]:8500"),
        *("dns:///localhost:8500", "dns:localhost:8500", "ipv4:127.0.0.1:8500", "ipv6:[::1]:8500", "unix:/run/socket"),
        "ipv4:127.0.0.1:1,127.0.0.1:2",
    ],
)
def test_targets_on_this_machine(target: str) -> None:
    assert is_on_this_machine(target)


@pytest.mark.parametrize(
    "target",
    [
        *("server:8500", "10.0.0.1:8500", "localhost.example:8500", "127.evil.example:8500", "127.0.0.1.example:1"),
        *("dns:///server:1", "dns://127.0.0.1/server:1", "ipv4:127.0.0.1:1,10.0.0.1:1", "[::2]:1", "", "[::1"),
        "localhost@evil.example:1",
    ],
)
def test_targets_elsewhere(target: str) -> None:
    assert not is_on_this_machine(target)
