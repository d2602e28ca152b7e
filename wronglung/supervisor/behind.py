"""Run a command that lets others go first: ``python -m wronglung.supervisor.behind COMMAND…``.

Models take all the processor there is. Where the gateway gets no more than its equal share, an overload piles up in
front of it unread: refusals that are meant to come at once take seconds. So the models stand back
(docs/decisions/0122). Where nobody else wants the processor, it makes no difference.

Outside of containers Linux shares a processor among sessions first (autogroups), within them by thread, so niceness is
told to both. It is a help and no condition: what cannot be set is said on standard error. Standard library only.
"""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from wronglung.supervisor.tie import become

NICENESS = 10
"""Of each thread: a tenth of the usual weight. Three threads of models then still leave three quarters to another."""
SESSION_NICENESS = 5
"""Of all models together: a third of the usual weight."""
_AUTOGROUP = Path("/proc/self/autogroup")
_TRIES, _PAUSE_S = 5, 0.15
"""The kernel takes one change in a tenth of a second from all users together."""


def behind(command: Sequence[str]) -> list[str]:
    """The command line that runs `command` behind others. It must lead a session of its own, or others share its
    place."""
    return [sys.executable, "-m", "wronglung.supervisor.behind", *command]


def step_back() -> None:
    """Put this process and its session behind others, as far as it may."""
    for what, act in {"process": _renice, "session": _renice_session}.items():
        try:
            act()
        except OSError as error:
            sys.stderr.write(f"the models' {what} keeps its priority, an overload may be refused slowly: {error}\n")


def _renice() -> None:
    os.nice(NICENESS)


def _renice_session() -> None:
    for _ in range(_TRIES - 1):
        try:
            return _write_autogroup()
        except BlockingIOError:
            time.sleep(_PAUSE_S)
    return _write_autogroup()


def _write_autogroup() -> None:
    try:
        with _AUTOGROUP.open("r+", encoding="ascii") as file:
            file.write(str(SESSION_NICENESS))
    except FileNotFoundError:  # the kernel has none: it shares by thread everywhere
        return


def main(command: Sequence[str]) -> None:
    """Step back, then become the command; status 127 if there is no such command."""
    step_back()
    become(command)


if __name__ == "__main__":
    main(sys.argv[1:])
