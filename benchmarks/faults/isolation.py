"""A network and mounts of the campaign's own, so that a bad network and a full disk are nobody else's.

Where the system does not allow them the campaign runs all the same, and says which kinds of faults it had to leave out.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_INSIDE = "WRONGLUNG_FAULTS_INSIDE"
_WAYS = (("--net", "--mount"), ("--map-root-user", "--net", "--mount"))
"""As root, or as anybody where users may have namespaces of their own."""


def enter(module: str, arguments: Sequence[str]) -> None:
    """Become ``python -m module arguments`` within namespaces of its own; returns where there cannot be any, or when
    this process is in them already."""
    if _INSIDE in os.environ:
        _run("ip", "link", "set", "lo", "up")
        return
    unshare = shutil.which("unshare")
    for way in _WAYS if unshare and shutil.which("ip") else ():
        if _succeeds(unshare or "", *way, "ip", "link", "set", "lo", "up"):
            os.environ[_INSIDE] = "1"
            os.execv(unshare or "", ["unshare", *way, sys.executable, "-m", module, *arguments])


def is_isolated() -> bool:
    """Whether network and mounts are the campaign's own."""
    return _INSIDE in os.environ


@contextmanager
def small_disk(directory: Path, mebibytes: int) -> Iterator[str]:
    """A disk of so many MiB at a folder while the block lasts; gives why it cannot be, or nothing."""
    if not is_isolated():
        yield "no mounts of its own"
        return
    if not _succeeds("mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=700", "none", str(directory)):
        yield "tmpfs cannot be mounted"
        return
    try:
        yield ""
    finally:
        _run("umount", "--lazy", str(directory))


class PacketLoss:
    """Loses packets from and to a TCP port at random, in a network of the campaign's own.

    Args:
        port: the gateway's.
        share: of the packets in each direction, between 0 and 1.
    """

    def __init__(self, port: int, share: float) -> None:
        self._rules = [
            f"INPUT -p tcp {end} {port} -m statistic --mode random --probability {share} -j DROP".split()
            for end in ("--dport", "--sport")
        ]

    def missing(self) -> str:
        """Why it cannot be had, or nothing."""
        if not is_isolated():
            return "no network of its own"
        if not _succeeds("iptables", "-A", *self._rules[0]):
            return "no iptables with the match statistic"
        _run("iptables", "-D", *self._rules[0])
        return ""

    def begin(self) -> None:
        """From now on packets are lost."""
        for rule in self._rules:
            _run("iptables", "-A", *rule)

    def end(self) -> int:
        """No more of it; returns how many packets were lost."""
        listed = _run("iptables", "--list-rules", "INPUT", "--verbose")
        for rule in self._rules:
            _run("iptables", "-D", *rule)
        return sum(int(count) for count in re.findall(r"-c (\d+) \d+", listed))


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _succeeds(*command: str) -> bool:
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False
