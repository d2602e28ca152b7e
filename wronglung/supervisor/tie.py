"""Run a command that dies with its parent: ``python -m wronglung.supervisor.tie PARENT_PID COMMAND…``.

Linux sends a tied process SIGKILL when the process that started it is gone, however it went. Elsewhere the command
runs untied, and `guard` alone cleans up.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

_PR_SET_PDEATHSIG = 1
_CANNOT_RUN = 127  # as a shell has it


def tied(command: Sequence[str]) -> list[str]:
    """The command line that runs `command` tied to the calling process.

    Start it from the main thread: the kernel watches the thread that starts a process, not the process.
    """
    return [sys.executable, "-m", "wronglung.supervisor.tie", str(os.getpid()), *command]


def tie_to(parent_pid: int) -> None:
    """Have the kernel kill this process when its parent dies; kill it now if `parent_pid` is no longer the parent."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent_pid:  # it died before the line above took effect
        os.kill(os.getpid(), signal.SIGKILL)


def main(arguments: Sequence[str]) -> None:
    """Tie this process to its parent, then become the command; status 127 if there is no such command."""
    parent_pid, *command = arguments
    tie_to(int(parent_pid))
    become(command)


def become(command: Sequence[str]) -> NoReturn:
    """Become a command; end with status 127 if there is no such command."""
    try:
        os.execvp(command[0], list(command))  # noqa: S606 - the command is the caller's own
    except OSError as error:
        sys.stderr.write(f"cannot run {command[0]!r}: {error.strerror}\n")
        sys.exit(_CANNOT_RUN)


if __name__ == "__main__":
    main(sys.argv[1:])
