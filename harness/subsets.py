"""Subsets of the sentences. Membership is decided on the unperturbed sentence and boxes, so that the two arms of every
delta hold the same sentences."""

from collections.abc import Callable, Sequence

from harness.case import ImageRecord, Sentence

Membership = Callable[[ImageRecord, Sentence], bool]

SUBSETS: dict[str, Membership] = {
    "all": lambda record, sentence: True,
    "abnormal": lambda record, sentence: sentence.abnormal,
    "one_lung": lambda record, sentence: sentence.lung_side is not None,
}


def make_subsets(names: Sequence[str]) -> dict[str, Membership]:
    """The named subsets. ``"key=value"`` names a stratum: the sentences (or images) that the data set labels so.

    Raises:
        ValueError: a name is neither in `SUBSETS` nor of the form key=value.
    """
    return {name: SUBSETS[name] if name in SUBSETS else _stratum(name) for name in names}


def _stratum(name: str) -> Membership:
    key, equals, value = name.partition("=")
    if not (key and equals and value):
        raise ValueError(
            f"unknown subset {name!r}: choose from {', '.join(SUBSETS)}, or name a stratum of the data set as key=value"
        )
    return lambda record, sentence: sentence.strata.get(key, record.strata.get(key)) == value
