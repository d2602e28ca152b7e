"""How long a model may fail before it counts as sick."""

from wronglung.supervisor.sickness import Sickness


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_model_is_sick_when_it_has_failed_for_long_enough() -> None:
    clock = Clock()
    sickness = Sickness(20, clock)
    assert not sickness.sick
    sickness.report(["encoder"])
    clock.now += 19
    assert not sickness.sick
    clock.now += 2
    assert sickness.sick


def test_further_reports_of_failure_do_not_start_the_clock_again() -> None:
    clock = Clock()
    sickness = Sickness(20, clock)
    sickness.report(["encoder"])
    clock.now += 15
    sickness.report(["encoder", "encoder-optout"])
    clock.now += 6
    assert sickness.sick


def test_recovery_does() -> None:
    clock = Clock()
    sickness = Sickness(20, clock)
    sickness.report(["encoder"])
    clock.now += 15
    sickness.report([])
    sickness.report(["encoder"])
    clock.now += 15
    assert not sickness.sick


def test_what_was_just_started_is_excused_until_all_is_well() -> None:
    clock = Clock()
    sickness = Sickness(20, clock)
    sickness.excuse(300)
    sickness.report(["encoder"])
    clock.now += 250
    assert not sickness.sick
    sickness.report([])
    sickness.report(["encoder"])
    clock.now += 21
    assert sickness.sick


def test_each_model_has_its_own_time() -> None:
    """A worker that comes up for one is not to be taken for late because another's was."""
    clock = Clock()
    sickness = Sickness(20, clock)
    sickness.report(["encoder"])
    clock.now += 15
    sickness.report(["encoder", "encoder-optout"])
    sickness.report(["encoder-optout"])
    clock.now += 15
    assert not sickness.sick
    clock.now += 6
    assert sickness.sick


def test_tells_for_how_long_one_has_been_sick() -> None:
    clock = Clock()
    sickness = Sickness(20, clock)
    assert sickness.overdue_s == 0
    sickness.report(["encoder"])
    clock.now += 5
    assert sickness.overdue_s == 0
    sickness.report(["encoder", "encoder-optout"])
    clock.now += 18
    assert sickness.overdue_s == 3
    sickness.excuse(10)
    assert sickness.overdue_s == 0
    clock.now += 14
    assert sickness.overdue_s == 4


def test_a_short_excuse_takes_nothing_from_a_longer_one() -> None:
    """A gateway is restarted while the backend comes up."""
    clock = Clock()
    sickness = Sickness(20, clock)
    sickness.excuse(300)
    sickness.report(["encoder"])
    clock.now += 10
    sickness.excuse(20)
    clock.now += 280
    assert not sickness.sick
    clock.now += 20
    assert sickness.sick
