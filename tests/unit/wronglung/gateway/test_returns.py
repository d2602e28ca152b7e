"""Whoever is turned away gets a time of its own to come again."""

from hypothesis import given
from hypothesis import strategies as st

from wronglung.gateway.returns import Returns

SECONDS = st.floats(0, 100)


def test_each_comes_a_step_after_the_last_one() -> None:
    returns = Returns()
    assert [returns.give(5.0, 0.3, 0.1) for _ in range(4)] == [300, 400, 500, 600]


def test_what_was_given_long_ago_holds_nobody_up() -> None:
    returns = Returns()
    assert returns.give(5.0, 0.3, 0.1) == 300
    assert returns.give(50.0, 0.3, 0.1) == 300


@given(st.lists(st.tuples(SECONDS, SECONDS, SECONDS), min_size=1, max_size=30))
def test_nobody_is_sent_away_for_less_than_a_moment_or_more_than_ten_seconds(
    asked: list[tuple[float, float, float]],
) -> None:
    returns, now_s = Returns(), 0.0
    for passed_s, answer_s, step_s in asked:
        now_s += passed_s
        assert 50 <= returns.give(now_s, answer_s, step_s) <= 10_000
