"""Whoever is turned away gets a time of its own to come again."""

from hypothesis import given
from hypothesis import strategies as st

from wronglung.gateway.returns import Returns

SECONDS = st.floats(0, 100)


def given_to(returns: Returns, party: str, times: int, now_s: float = 5.0) -> list[int]:
    return [returns.give(party, now_s, latency_s=0.3, answer_s=0.025) for _ in range(times)]


def test_each_comes_a_step_after_the_last_one() -> None:
    assert given_to(Returns(), "a", 4) == [300, 400, 500, 600]


def test_what_was_given_long_ago_holds_nobody_up() -> None:
    returns = Returns()
    given_to(returns, "a", 4)
    assert given_to(returns, "a", 1, now_s=50.0) == [300]


def test_each_party_has_its_own_line_and_all_together_come_as_slowly_as_one() -> None:
    returns = Returns()
    given_to(returns, "a", 4)
    assert given_to(returns, "b", 3) == [300, 500, 700]
    assert given_to(returns, "a", 1) == [800]


def test_the_end_of_a_long_line_is_no_crowd() -> None:
    told = given_to(Returns(), "a", 1000)
    assert told[:97] == list(range(300, 10_000, 100))
    rest = told[100:]
    assert len(set(rest)) > 800
    assert 4_500 < sum(rest) / len(rest) < 5_800  # anywhere between the soonest and the latest


def test_a_hundred_thousand_callers_take_no_more_memory_than_a_few() -> None:
    returns = Returns()
    for number in range(1000):
        given_to(returns, str(number), 1)
    assert len(returns._last_s) <= 65


@given(st.lists(st.tuples(st.sampled_from("ab"), SECONDS, SECONDS, SECONDS), min_size=1, max_size=30))
def test_nobody_is_sent_away_for_less_than_a_moment_or_more_than_ten_seconds(
    asked: list[tuple[str, float, float, float]],
) -> None:
    returns, now_s = Returns(), 0.0
    for party, passed_s, latency_s, answer_s in asked:
        now_s += passed_s
        assert 50 <= returns.give(party, now_s, latency_s, answer_s) <= 10_000
