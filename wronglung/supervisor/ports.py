"""Free TCP ports, and a clear word when a port is taken."""

import errno
import random
import socket
from collections.abc import Mapping
from contextlib import ExitStack, closing

_INTERNAL = range(15_000, 32_000)  # below the range from which Linux takes the ports of outgoing connections


class PortTaken(OSError):
    """Another process listens on a port that was asked for by number."""


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1)
    except OSError:
        listener.close()
        raise
    return listener


def require_free(host: str, port: int, flag: str) -> None:
    """`require_all_free` of one."""
    require_all_free({flag: (host, port)})


def require_all_free(places: Mapping[str, tuple[str, int]]) -> None:
    """Check that every port can be listened on, and all at once; 0 stands for any free port and always can.

    Args:
        places: host and port, by the flag of the port, such as ``--metrics-port``; that of its host ends in ``host``.

    Raises:
        PortTaken: one is taken; the message names the flag that chooses another.
        OSError: a host is not an address of this machine, or a port is reserved; the message names both flags.
    """
    with ExitStack() as held:
        for flag, (host, port) in places.items():
            held.enter_context(closing(_asked_for(host, port, flag)))


def _asked_for(host: str, port: int, flag: str) -> socket.socket:
    try:
        return _listen(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            zero = "" if flag == "--probe-port" else " (0 means any free one)"
            raise PortTaken(f"port {port} on {host} is taken: choose another with {flag}{zero}") from error
        asked = f"{flag} {port} of {flag.removesuffix('port')}host {host}"
        raise OSError(
            f"cannot listen on {asked}: {error.strerror or error}: give an address of this machine, and a port that "
            "this user may listen on"
        ) from error


def free_ports(count: int, host: str = "127.0.0.1") -> list[int]:
    """`count` different ports that nothing listens on, outside the range of outgoing connections.

    Drawn at random, because two instances that start at the same moment must not draw the same ones.
    """
    found: list[int] = []
    for port in random.sample(_INTERNAL, len(_INTERNAL)):
        if len(found) == count:
            return found
        try:
            with closing(_listen(host, port)):
                found.append(port)
        except OSError:
            continue
    raise OSError(errno.EADDRINUSE, f"fewer than {count} free ports in {_INTERNAL}")
