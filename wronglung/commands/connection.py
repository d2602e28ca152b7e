"""What every command that talks to a server has in common."""

import argparse
import sys
import time

from wronglung.client import DEFAULT_TARGET, AlignmentClient, Tls
from wronglung.errors import ModelUnavailable
from wronglung.v1 import alignment_pb2 as pb

_POLL_S = 0.5


def add_connection(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where the server is and how long to wait for it."""
    parser.add_argument(
        "--target", metavar="HOST:PORT", help=f"the server (default: $WRONGLUNG_TARGET, else {DEFAULT_TARGET})"
    )
    parser.add_argument(
        "--timeout", type=float, default=60.0, metavar="SECONDS", help="for one answer (default: %(default)g)"
    )
    add_access(parser)


def add_access(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how each side proves who it is."""
    group = parser.add_argument_group(
        "security", "What is not given comes from the environment, unless --target names another server than it does."
    )
    add = group.add_argument
    add(
        "--tls-root",
        metavar="FILE",
        help="use TLS; the server's certificate is signed by these authorities, PEM, or by 'public' ones "
        "(default: $WRONGLUNG_TLS_ROOT)",
    )
    add("--client-cert", metavar="FILE", help="own certificate, PEM (default: $WRONGLUNG_CLIENT_CERT)")
    add("--client-key", metavar="FILE", help="its key, PEM (default: $WRONGLUNG_CLIENT_KEY)")
    add(
        "--server-name",
        default="",
        metavar="NAME",
        help="name in the server's certificate, if not the target's (default: $WRONGLUNG_SERVER_NAME)",
    )
    add("--token-file", metavar="FILE", help="file of the caller's token (default: $WRONGLUNG_TOKEN_FILE)")


def tls_of(args: argparse.Namespace) -> Tls | None:
    """What the options of `add_access` say of TLS.

    Raises:
        ValueError: they contradict each other.
    """
    given = (args.client_cert, args.client_key, args.server_name)
    if args.tls_root is None:
        if any(given):
            raise ValueError("--client-cert, --client-key and --server-name are for TLS: give --tls-root as well")
        return None
    return Tls(args.tls_root, *given)


def add_wait(parser: argparse.ArgumentParser) -> None:
    """Add the option that says how long to wait for a server to be ready."""
    parser.add_argument(
        "--wait",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="wait this long for all models to be ready (default: 0)",
    )


def connect(args: argparse.Namespace) -> AlignmentClient:
    """A client for the options of `add_connection`.

    Raises:
        OSError, ValueError: as `AlignmentClient`.
    """
    return AlignmentClient(args.target, timeout_s=args.timeout, tls=tls_of(args), token_file=args.token_file)


def fail(command: str, error: object) -> int:
    """Say in one line why a command failed; returns its exit status."""
    print(f"wronglung {command}: {error}", file=sys.stderr)
    return 1


def models_when_ready(client: AlignmentClient, wait_s: float) -> list[pb.Model]:
    """The models of a server, as soon as all are ready; as they are when `wait_s` have passed.

    Raises:
        WronglungError: no server could be asked in that time.
    """
    until = time.monotonic() + wait_s
    while True:
        try:
            models = client.models()
            if all(model.ready for model in models) or time.monotonic() >= until:
                return models
        except ModelUnavailable:
            if time.monotonic() >= until:
                raise
        time.sleep(_POLL_S)
