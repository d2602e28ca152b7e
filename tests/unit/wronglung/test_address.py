"""Specification of addresses."""

from wronglung.address import address


def test_addresses_of_both_kinds() -> None:
    assert address("127.0.0.1", 1) == "127.0.0.1:1"
    assert address("::1", 1) == "[::1]:1"
