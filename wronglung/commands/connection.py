"""What every command that talks to a server has in common."""

import argparse
import sys
import time

from wronglung.client import DEFAULT_TARGET, AlignmentClient
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
    """A client for the options of `add_connection`."""
    return AlignmentClient(args.target, timeout_s=args.timeout)


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
