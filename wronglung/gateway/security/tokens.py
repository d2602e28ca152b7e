"""The file of tokens: a line per caller, with the digest of the token and, where they are restricted, the models.

    # name      digest of the token            models (default: all)
    nightly     sha256:9f86d081884c7d65…
    ward-3      sha256:60303ae22b998861…       encoder,encoder-optout

Only digests are kept, so that whoever reads the file cannot call. No salt and no slow hash: `wronglung token` makes
tokens of 256 random bits, which nobody guesses. A name may have several lines, for the time of a change of tokens.
"""

import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from wronglung.gateway.security.callers import Caller

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class _Line:
    caller: Caller
    digest: bytes = field(repr=False)


class Tokens:
    """The tokens of a file. Two that hold the same compare equal to nobody but themselves."""

    def __init__(self, lines: tuple[_Line, ...]) -> None:
        self._lines = lines

    def find(self, token: str) -> Caller | None:
        """Whose token it is; an empty one is nobody's. Every line is compared, each in constant time: how long it takes
        tells nothing."""
        if not token:
            return None
        digest = hashlib.sha256(token.encode("utf-8", "backslashreplace")).digest()
        found = None
        for line in self._lines:
            if hmac.compare_digest(line.digest, digest):
                found = line.caller
        return found

    def models(self) -> frozenset[str]:
        """Every model that a line names."""
        return frozenset(model for line in self._lines for model in line.caller.models or ())


def make_tokens(content: bytes) -> Tokens:
    """Read the file.

    Raises:
        ValueError: it has a fault, which is named with its line, or no caller. Nothing of a token is in the message.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError("the file of tokens is no UTF-8 text") from error
    if text and not text.endswith("\n"):  # a line cut off after its digest would be good for every model
        raise ValueError("the file of tokens is cut off: its last line must end with a newline")
    lines = tuple(_parse(text))
    if not lines:
        raise ValueError("the file of tokens names no caller: `wronglung token` makes a line for it")
    if len({line.digest for line in lines}) < len(lines):
        raise ValueError("the file of tokens has a token twice: each line needs a token of its own")
    return Tokens(lines)


def _parse(text: str) -> Iterator[_Line]:
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        where = f"line {number} of the file of tokens"
        if len(words) not in (2, 3):
            raise ValueError(f"{where} has {len(words)} words: write NAME sha256:DIGEST [MODEL,MODEL…]")
        if not _NAME.fullmatch(words[0]):
            raise ValueError(f"{where}: a name has 1 to 64 letters, digits and . _ @ -, and begins with none of these")
        digest = _DIGEST.fullmatch(words[1])
        if not digest:
            raise ValueError(f"{where}: the second word must be sha256: and 64 digits; `wronglung token` writes it")
        models = frozenset(filter(None, words[2].split(","))) if len(words) == 3 else None
        yield _Line(Caller(words[0], models), bytes.fromhex(digest[1]))
