"""Subsets of the sentences. Membership is decided on the unperturbed sentence and boxes, so that the two arms of every
delta hold the same sentences."""

from collections.abc import Callable, Iterable, Sequence

from harness.case import ImageRecord, Sentence
from harness.diversity import most_diverse_reports

Membership = Callable[[ImageRecord, Sentence], bool]

SUBSETS: dict[str, Membership] = {
    "all": lambda record, sentence: True,
    "abnormal": lambda record, sentence: sentence.abnormal,
    "one_lung": lambda record, sentence: sentence.lung_side is not None,
}
"""Those that a sentence and its image decide alone."""
MOST_DIVERSE = "most_diverse_report_bboxes"


def check_subset_names(names: Sequence[str]) -> None:
    """Check names without a data set.

    Raises:
        ValueError: a name is neither a subset's nor of the form key=value.
    """
    for name in names:
        key, equals, value = name.partition("=")
        if name not in (*SUBSETS, MOST_DIVERSE) and not (key and equals and value):
            raise ValueError(
                f"unknown subset {name!r}: choose from {', '.join([*SUBSETS, MOST_DIVERSE])}, "
                "or name a stratum of the data set as key=value"
            )


def make_subsets(names: Sequence[str], records: Iterable[ImageRecord]) -> dict[str, Membership]:
    """The named subsets of a data set. ``"key=value"`` names a stratum: the sentences (or images) that it labels so.

    Args:
        names: keys of `SUBSETS`, `MOST_DIVERSE` or strata.
        records: the whole data set; it is read once, and only if a subset compares reports with each other.

    Raises:
        ValueError: a name is unknown.
    """
    check_subset_names(names)
    return {name: _subset(name, records) for name in names}


def _subset(name: str, records: Iterable[ImageRecord]) -> Membership:
    if name == MOST_DIVERSE:
        chosen = most_diverse_reports(records)
        return lambda record, sentence: record.image_id in chosen
    return SUBSETS[name] if name in SUBSETS else _stratum(name)


def _stratum(name: str) -> Membership:
    key, _, value = name.partition("=")
    return lambda record, sentence: sentence.strata.get(key, record.strata.get(key)) == value
