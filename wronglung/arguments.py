"""Numbers of the command line, held within their ranges; argparse adds the name of the flag to what is wrong."""

import argparse
import math
from collections.abc import Callable

LONGEST_S = 24 * 3600.0


def port(text: str) -> int:
    """A TCP port; 0 stands for any free one."""
    number = whole(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{number} is not between 0 and 65535")
    return number


def seconds(least: float) -> Callable[[str], float]:
    """A time from `least` seconds to a day."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds") from None
        if math.isnan(value) or not least <= value <= LONGEST_S:
            raise argparse.ArgumentTypeError(f"{text} is not between {least:g} and {LONGEST_S:g} seconds")
        return value

    return read


def mebibytes(least: int) -> Callable[[str], int]:
    """A size of at least so many MiB."""

    def read(text: str) -> int:
        number = whole(text)
        if number < least:
            raise argparse.ArgumentTypeError(f"{number} MiB are too few: at least {least}")
        return number

    return read


def whole(text: str) -> int:
    """A whole number."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None
