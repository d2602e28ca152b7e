"""Fairness between callers: room goes to whoever holds least among those who ask."""

from contextlib import ExitStack

import pytest

from wronglung.errors import Overloaded
from wronglung.gateway.call import Call
from wronglung.gateway.load import Load
from wronglung.gateway.shares import Places, Shares

TOTAL = Load(8, 80, 8000)
ONE = Load(1, 1, 1)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def holding(**parties: int) -> tuple[Shares, Clock]:
    """Shares of which each party holds so many requests."""
    clock = Clock()
    shares = Shares(TOTAL, clock)
    for party, requests in parties.items():
        for _ in range(requests):
            shares.take(party, ONE)
    return shares, clock


def test_a_party_holds_the_part_of_which_it_takes_most() -> None:
    shares, _ = holding(a=2)
    assert shares.held_by("a") == 0.25
    shares.take("a", Load(1, 47, 1))
    assert shares.held_by("a") == 49 / 80
    assert shares.held_by("nobody") == 0


def test_who_holds_more_leaves_room_to_who_was_turned_away() -> None:
    shares, _ = holding(a=8, b=1)
    shares.claim("b", Load(1, 5, 9), advised_s=0.1)
    assert shares.kept_from("a") == Load(1, 5, 9)
    assert shares.kept_from("b") == Load()
    assert shares.kept_from("c") == Load()  # it holds less than b


def test_room_that_was_kept_is_used_and_not_kept_once_more() -> None:
    shares, _ = holding(a=7)
    shares.claim("b", ONE, advised_s=0.1)
    shares.take("b", ONE)
    assert shares.kept_from("a") == Load()
    shares.give_back("b", ONE)
    assert shares.kept_from("a") == ONE  # b goes on asking: it is not turned away every second time


def test_room_is_not_kept_for_long_for_who_does_not_come_back() -> None:
    shares, clock = holding(a=7)
    shares.claim("b", ONE, advised_s=0.5)
    clock.now += 1.4
    assert shares.kept_from("a") == ONE
    clock.now += 0.2
    assert shares.kept_from("a") == Load()


def test_room_is_kept_for_who_comes_back_at_once_and_for_who_comes_when_it_was_told_to() -> None:
    shares, clock = holding(a=7)
    shares.claim("b", ONE, advised_s=8.0)
    kept = []
    for _ in range(20):
        kept.append(shares.kept_from("a") == ONE)
        clock.now += 0.5
    assert kept == [True] * 2 + [False] * 13 + [True] * 3 + [False] * 2  # at 0 and 0.5 s, and at 7.5, 8 and 8.5 s


def test_all_claims_together_keep_half_at_most() -> None:
    shares, _ = holding(a=7)
    for number in range(1000):
        shares.claim(f"b{number}", Load(1, 70, 1), advised_s=10)
    assert shares.kept_from("a") == Load(4, 40, 64)


def test_one_takes_half_two_a_third_each_and_who_comes_next_finds_a_place() -> None:
    places = Places(12, lambda: Overloaded("full"))
    with ExitStack() as held:

        def take_all(party: str) -> int:
            for taken in range(20):
                try:
                    held.enter_context(places.one(party))
                except Overloaded:
                    return taken
            raise AssertionError("nobody is ever refused")

        assert [take_all(party) for party in "abc"] == [6, 3, 2]
        assert places.taken == 11


def test_a_place_is_free_again_after_its_block() -> None:
    places = Places(2, lambda: Overloaded("full"))
    for _ in range(3):
        with places.one("a"), pytest.raises(Overloaded), places.one("a"):
            raise AssertionError
    assert places.taken == 0


@pytest.mark.parametrize(
    ("caller", "peer", "party"),
    [
        ("ward-3", "ipv4:10.0.0.7:51234", "ward-3"),
        ("-", "ipv4:10.0.0.7:51234", "10.0.0.7"),
        ("-", "ipv6:%5B2001:db8:1:2:3:4:5:6%5D:51234", "2001:db8:1:2::/64"),
        ("-", "ipv6:[fe80::1%25eth0]:51234", "fe80::/64"),
        ("-", "unix:", "unix:"),
        ("-", "-", "-"),
    ],
)
def test_a_party_is_who_calls_or_else_the_machine_it_calls_from(caller: str, peer: str, party: str) -> None:
    assert Call("Align", "id", caller=caller, peer=peer).party == party
