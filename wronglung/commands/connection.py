"""What every command that talks to a server has in common."""

import argparse
import sys

from wronglung.client import DEFAULT_TARGET, AlignmentClient


def add_connection(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where the server is and how long to wait for it."""
    parser.add_argument(
        "--target", metavar="HOST:PORT", help=f"the server (default: $WRONGLUNG_TARGET, else {DEFAULT_TARGET})"
    )
    parser.add_argument(
        "--timeout", type=float, default=60.0, metavar="SECONDS", help="for one answer (default: %(default)g)"
    )


def connect(args: argparse.Namespace) -> AlignmentClient:
    """A client for the options of `add_connection`."""
    return AlignmentClient(args.target, timeout_s=args.timeout)


def fail(command: str, error: object) -> int:
    """Say in one line why a command failed; returns its exit status."""
    print(f"wronglung {command}: {error}", file=sys.stderr)
    return 1
