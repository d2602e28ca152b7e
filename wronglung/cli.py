"""The command `wronglung`: one module of `wronglung.commands` for each word after it."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from wronglung import __version__
from wronglung.variables import misspelt

COMMANDS = ("serve", "align", "models", "doctor", "token", "build-archives", "import-checkpoint")

_EXAMPLES = """\
examples:
  wronglung serve --models encoder encoder-optout
  wronglung align chest.dcm "Opacity in the right lower lobe." --overlay out.png
  wronglung models
  wronglung import-checkpoint released.ckpt --tokenizer Bio_ClinicalBERT/ --name gloria
"""


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands; each adds its own part."""
    parser = argparse.ArgumentParser(
        prog="wronglung",
        description="Serve attention maps for the sentences of radiology reports, and draw them.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"wronglung {__version__}")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        importlib.import_module(f"wronglung.commands.{command.replace('-', '_')}").add_parser(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    args = build_parser().parse_args(argv)
    for sentence in misspelt(os.environ):
        print(f"wronglung: {sentence}", file=sys.stderr)
    return int(args.run(args))


if __name__ == "__main__":
    sys.exit(main())
