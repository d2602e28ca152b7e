"""``wronglung token``: a secret for a caller, and the line by which a server knows it."""

import argparse
import hashlib
import os
import secrets
import sys
from pathlib import Path
from typing import Any

from wronglung.gateway.security.tokens import make_tokens

_BYTES = 32
_FEWEST_CHARACTERS = 32
_EXAMPLES = """\
examples:
  wronglung token nightly nightly.token >> tokens.txt
  wronglung token ward-3 ward-3.token --models encoder >> tokens.txt
"""


def add_parser(subparsers: Any) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "token",
        help="make a token for a caller of a server",
        description="Make a token of 256 random bits in FILE, for the caller alone to read, and print the line that "
        "lets the caller in: it belongs into the file of `wronglung serve --tokens`. A FILE that is there keeps its "
        "token, and only the line is printed.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", metavar="NAME", help="the caller's name, as the server's log shall show it")
    parser.add_argument("file", type=Path, metavar="FILE", help="file of the caller's token")
    parser.add_argument("--models", metavar="NAME,NAME", help="what the caller may use (default: all)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make the token and print the line; returns the exit status."""
    try:
        models = _models(args.models)
        _line(args.name, "", models)  # a name that cannot be leaves no file behind
        line = _line(args.name, _token_in(args.file), models)
    except (OSError, ValueError) as error:
        print(f"wronglung token: {error}", file=sys.stderr)
        return 1
    print(line)
    return 0


def _models(given: str | None) -> str:
    """The models as given, "" for all; an empty list, as of a variable that is not set, is not all of them."""
    if given is not None and not given.strip(", "):
        raise ValueError("--models names no model: leave it out for all of them")
    return given or ""


def _line(name: str, token: str, models: str) -> str:
    """The line, as the server will read it.

    Raises:
        ValueError: the server would not take it.
    """
    if len(name.split()) != 1 or len(models.split()) > 1:
        raise ValueError("a name is one word, and so are the models, with commas between them")
    line = f"{name} sha256:{hashlib.sha256(token.encode()).hexdigest()} {models}".rstrip()
    make_tokens(f"{line}\n".encode())
    return line


def _token_in(file: Path) -> str:
    """The token of a file, which is made if it is not there.

    Raises:
        OSError: it can be neither read nor made.
        ValueError: what is there is no good secret.
    """
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        token = file.read_text(encoding="utf-8").strip()
        if len(token) < _FEWEST_CHARACTERS or not token.isascii() or len(token.split()) != 1:
            raise ValueError(
                f"{file} holds no token of at least {_FEWEST_CHARACTERS} plain characters: name another file to have "
                "one made"
            ) from None
        return token
    token = secrets.token_urlsafe(_BYTES)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(token + "\n")
    return token
