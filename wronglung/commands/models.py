"""``wronglung models``: what a server serves."""

import argparse
from collections import Counter
from typing import Any

from wronglung.commands.connection import add_connection, add_wait, connect, fail, models_when_ready
from wronglung.errors import WronglungError
from wronglung.v1 import alignment_pb2 as pb

_EXAMPLES = """\
examples:
  wronglung models
  wronglung models --target 127.0.0.1:8500 --wait 120
  wronglung models --target dns:///server.example:8500 --tls-root ca.pem --token-file reader.token
"""


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "models",
        help="list the models that a server serves",
        description="List the models of a server. Exit status 1 when it cannot be reached, a model is not "
        "ready, or the caller may use none.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_wait(parser)
    add_connection(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List; returns the exit status."""
    try:
        with connect(args) as client:
            models = models_when_ready(client, args.wait)
    except (WronglungError, OSError, ValueError) as error:
        return fail("models", error)
    if not models:
        return fail(
            "models", "a server answers, but this caller may use none of its models: see the file of its --tokens"
        )
    versions = Counter(model.identity.name for model in models)
    print("\n".join(_line(model, among=versions[model.identity.name]) for model in models))
    return 0 if all(model.ready for model in models) else 1


def _line(model: pb.Model, among: int) -> str:
    """What is told of a model; of one `among` several versions also whether it is the default."""
    identity = model.identity
    default = " (default)" if model.is_default and among > 1 else ""
    return (
        f"{identity.name} {identity.version}{default}  {'ready' if model.ready else 'not ready'}  "
        f"{model.grid_rows} x {model.grid_cols} cells  {'opt-out' if model.has_opt_out else 'no opt-out'}  "
        f"weights {identity.weights_digest[:12]}"
    )
