"""Numbers as people read them: a true minus sign, no negative zero, a dash for null."""

from harness.report.reader import Estimate

NULL = "–"
MINUS = "−"


def number(value: float | None, digits: int = 3, *, signed: bool = False) -> str:
    """`value` with `digits` decimals; ``–`` for None."""
    if value is None:
        return NULL
    text = f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("+-")
    return text.replace("-", MINUS)


def interval(estimate: Estimate, digits: int = 3, *, signed: bool = False) -> str:
    """``[low, high]``; empty when there is none."""
    if estimate.low is None or estimate.high is None:
        return ""
    low, high = (number(bound, digits, signed=signed) for bound in (estimate.low, estimate.high))
    return f"[{low}, {high}]"


def with_interval(estimate: Estimate, digits: int = 3, *, signed: bool = False) -> str:
    """``mean [low, high]``."""
    return f"{number(estimate.mean, digits, signed=signed)} {interval(estimate, digits, signed=signed)}".rstrip()


def probability(value: float | None) -> str:
    """A p or q value: three decimals, never rounded down to 0."""
    if value is None:
        return NULL
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def named_probability(name: str, value: float | None) -> str:
    """``q = 0.031`` or ``q < 0.001``, which no line break takes apart."""
    text = probability(value)
    return f"{name} {text if text.startswith('<') else f'= {text}'}".replace(" ", "\N{NO-BREAK SPACE}")


def thousands(value: int) -> str:
    """A count with thin spaces between thousands."""
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def count(n: int) -> str:
    """``n = 1 240``, which no line break takes apart."""
    return f"n = {thousands(n)}".replace(" ", "\N{NO-BREAK SPACE}")
