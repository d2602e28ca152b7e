"""Outside namespaces of its own the campaign touches neither mounts nor packets, and says why."""

from pathlib import Path

import pytest

from benchmarks.faults import isolation
from benchmarks.faults.isolation import PacketLoss, is_isolated, small_disk


@pytest.fixture(autouse=True)
def no_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever would run a command fails the test."""
    monkeypatch.delenv("WRONGLUNG_FAULTS_INSIDE", raising=False)
    for name in ("run", "Popen"):
        monkeypatch.setattr(isolation.subprocess, name, lambda *_, **__: pytest.fail("ran a command"))


def test_a_small_disk_is_told_to_be_missing(tmp_path: Path) -> None:
    assert not is_isolated()
    with small_disk(tmp_path, 1) as missing:
        assert missing == "no mounts of its own"


def test_packet_loss_is_told_to_be_missing() -> None:
    assert PacketLoss(8500, 0.1).missing() == "no network of its own"
