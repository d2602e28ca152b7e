"""What a dead server or part left behind: processes, folders, listening sockets."""

import time
from collections.abc import Set

import psutil

from benchmarks.faults.isolation import is_isolated
from benchmarks.faults.server import Server

_PATIENCE_S = 10.0


def left_behind(server: Server, ours: Set[int], patience_s: float = _PATIENCE_S) -> list[str]:
    """What belongs to no part of the server as it runs now, and is still there after so many seconds.

    Args:
        server: the server; one that has ended should have left nothing.
        ours: ports that this process listens on.
        patience_s: for what is about to go.
    """
    deadline = time.monotonic() + patience_s
    while (found := _look(server, ours)) and time.monotonic() < deadline:
        time.sleep(0.25)
    return found


def _look(server: Server, ours: Set[int]) -> list[str]:
    family = {each.pid for each in server.family}
    processes = [f"process {_name(each)}" for each in server.kin() if each.pid not in family]
    current = {server.directory.name} if server.is_running else set()
    folders = [f"folder {path.name}" for path in server.temporary.glob("wronglung-*") if path.name not in current]
    return [*processes, *folders, *(_sockets(family, ours) if is_isolated() else [])]


def _sockets(family: Set[int], ours: Set[int]) -> list[str]:
    """Listening sockets that are nobody's. In a network of the campaign's own every one must be accounted for."""
    listening = [each for each in psutil.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
    owners = {each.laddr.port: each.pid for each in listening if each.laddr}
    return [f"port {port}" for port, owner in owners.items() if owner not in family and port not in ours]


def _name(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline()[:4])
    except psutil.Error:
        return process.name()
