"""Run a command that lets others go first: ``python -m wronglung.supervisor.behind COMMAND…``.

Models take all the processor there is. Where the gateway got no more than its equal share of what is left, an overload
piled up in front of it unread: refusals that are meant to come at once took seconds. So the models stand back. Where
nobody else wants the processor, it makes no difference.

Linux shares a processor among sessions first (autogroups, outside of containers), then among processes: niceness is
told to both. Standard library only.
"""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from wronglung.supervisor.tie import become

_NICENESS = 5
"""A third of the weight of a process that has none."""
_AUTOGROUP = Path("/proc/self/autogroup")
_TRIES, _PAUSE_S = 5, 0.15
"""The kernel takes one change in a tenth of a second, from whomever it comes."""


def behind(command: Sequence[str]) -> list[str]:
    """The command line that runs `command` behind others. It must lead a session of its own, or others share its
    place."""
    return [sys.executable, "-m", "wronglung.supervisor.behind", *command]


def step_back() -> None:
    """Put this process and its session behind others."""
    os.nice(_NICENESS)
    if not _AUTOGROUP.exists():
        return
    for _ in range(_TRIES):
        try:
            _AUTOGROUP.write_text(str(_NICENESS), encoding="ascii")
        except BlockingIOError:
            time.sleep(_PAUSE_S)
        except OSError as error:
            sys.stderr.write(f"the session keeps its priority, so an overload may be refused slowly: {error}\n")
            return
        else:
            return


def main(command: Sequence[str]) -> None:
    """Step back, then become the command; status 127 if there is no such command."""
    step_back()
    become(command)


if __name__ == "__main__":
    main(sys.argv[1:])
