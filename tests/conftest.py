"""What holds for every test: thread counts are fixed, skips are accounted for, two processes can share the work."""

import os
from collections.abc import Generator

import pytest
from hypothesis import settings

from tests import needs

os.environ.setdefault("OMP_NUM_THREADS", "2")

# On a machine that promises everything, a failure must come from the change and not from the luck of a draw.
settings.register_profile("complete machine", derandomize=True)
if needs.everything_promised():
    settings.load_profile("complete machine")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Say which tests must meet in one process, before pytest-xdist asks."""
    item.add_marker(pytest.mark.xdist_group(_process_mates(item)))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring the longest group of tests to the front."""
    items.sort(key=lambda item: _process_mates(item) != _SERVERS)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse to go on where pytest-xdist has not understood: tests of one fixture would meet in no process."""
    expected = getattr(session.config.option, "loadgroup", False)
    if expected and not all(item.nodeid.endswith(f"@{_process_mates(item)}") for item in session.items):
        raise pytest.UsageError(
            "this pytest hides the groups of tests from pytest-xdist: install the versions of constraints.txt"
        )


_SERVERS = "servers"


def _process_mates(item: pytest.Item) -> str:
    """Tests of one file share its fixtures; all that look at real servers come one after another, and share one."""
    uses_one = "server" in getattr(item, "fixturenames", ())
    return _SERVERS if uses_one or item.path.parent.name == "serving" else item.path.name


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that was skipped for want of something that was promised."""
    report = yield
    if not hasattr(report, "wasxfail"):
        _fail_unexpected_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole file that skips itself."""
    report = yield
    _fail_unexpected_skip(report)
    return report


def _fail_unexpected_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not (report.skipped and needs.everything_promised()):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if needs.named_in(reason) not in needs.ALLOWED_IN_CI:
        report.outcome = "failed"
        report.longrepr = f"unexpected skip on a machine that promises every tool: {reason}"
