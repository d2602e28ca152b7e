"""``wronglung models``: what a server serves."""

import argparse
import time
from typing import Any

from wronglung.client import AlignmentClient
from wronglung.commands.connection import add_connection, connect, fail
from wronglung.errors import ModelUnavailable, WronglungError
from wronglung.v1 import alignment_pb2 as pb

_POLL_S = 0.5
_EXAMPLES = """\
examples:
  wronglung models
  wronglung models --target 127.0.0.1:8500 --wait 120
"""


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "models",
        help="list the models that a server serves",
        description="List the models of a server. Exit status 1 when it cannot be reached or a model is not ready.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--wait", type=float, default=0.0, metavar="SECONDS", help="wait this long for all to be ready (default: 0)"
    )
    add_connection(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List; returns the exit status."""
    try:
        with connect(args) as client:
            models = _wait_until_ready(client, time.monotonic() + args.wait)
    except WronglungError as error:
        return fail("models", error)
    print("\n".join(f"{_line(model)}" for model in models))
    return 0 if all(model.ready for model in models) else 1


def _wait_until_ready(client: AlignmentClient, until: float) -> list[pb.Model]:
    while True:
        try:
            models = client.models()
            if all(model.ready for model in models) or time.monotonic() >= until:
                return models
        except ModelUnavailable:
            if time.monotonic() >= until:
                raise
        time.sleep(_POLL_S)


def _line(model: pb.Model) -> str:
    identity = model.identity
    return (
        f"{identity.name} {identity.version}  {'ready' if model.ready else 'not ready'}  "
        f"{model.grid_rows} x {model.grid_cols} cells  {'opt-out' if model.has_opt_out else 'no opt-out'}  "
        f"weights {identity.weights_digest[:12]}"
    )
