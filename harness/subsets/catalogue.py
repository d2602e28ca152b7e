"""What a run file asks for becomes a rule for each subset."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from harness.case import ImageRecord, Sentence
from harness.diversity import most_diverse_reports
from harness.subsets.errors import SubsetError
from harness.subsets.expression import parse
from harness.subsets.strata import BY_NAME, Family, family_of, rank
from wronglung.keys import suggest

Membership = Callable[[ImageRecord, Sentence], bool]
Choice = str | Mapping[str, str]
"""A subset as a run file names it: one of `SUBSETS`, `MOST_DIVERSE` or ``key=value``; or ``{name: expression}``."""

SUBSETS: dict[str, Membership] = {
    "all": lambda record, sentence: True,
    "abnormal": lambda record, sentence: sentence.abnormal,
    "one_lung": lambda record, sentence: sentence.lung_side is not None,
}
"""Those that a sentence and its image decide alone."""
MOST_DIVERSE = "most_diverse_report_bboxes"
TAKEN = (*SUBSETS, MOST_DIVERSE, "both_sides")
"""Names that no expression may have; `both_sides` is a stratum of a perturbation."""
MOST_VALUES = 64
_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)


def check_subsets(chosen: Sequence[Choice], strata: Sequence[str] = ()) -> None:
    """Check what can be checked without a data set.

    Raises:
        SubsetError: a name is unknown or given twice, or an expression is wrong.
    """
    names = [name for name, _ in _definitions(chosen)]
    for repeated in (name for group in (names, list(strata)) for name in group if group.count(name) > 1):
        raise SubsetError(f"names {repeated!r} twice")
    for name, expression in _definitions(chosen):
        _check(name, expression)
    for key in strata:
        if not key:
            raise SubsetError(f"a family of strata has a name: choose from {', '.join(BY_NAME)}")


def make_subsets(
    chosen: Sequence[Choice], records: Iterable[ImageRecord], strata: Sequence[str] = ()
) -> dict[str, Membership]:
    """The rule of every subset of a run, by its name.

    Args:
        chosen: names, and expressions by the name that they are given.
        records: the whole data set; read once more for each subset or family that only it decides.
        strata: families (`strata.FAMILIES`, or keys of the data set's own labels) of which every value is a subset.

    Raises:
        SubsetError: a subset is wrong, or no sentence has a label of this family.
    """
    check_subsets(chosen, strata)
    subsets = {name: _subset(name, expression, records) for name, expression in _definitions(chosen)}
    for key in strata:
        family = family_of(key)
        for value in list(family.values) or _values_found(family, records):
            subsets.setdefault(f"{key}={value}", _stratum(family, value))
    return subsets


def ordered(chosen: Sequence[Choice], found: Iterable[str]) -> tuple[str, ...]:
    """The subsets of a run as a reader meets them: those that the run file lists, in its order, then those of families
    that were found in the data, family by family."""
    listed = [name for name, _ in _definitions(chosen)]
    return (*listed, *sorted(set(found) - set(listed), key=rank))


def _definitions(chosen: Sequence[Choice]) -> list[tuple[str, str]]:
    """Each name with its expression; empty where the name says it all."""
    found: list[tuple[str, str]] = []
    for choice in chosen:
        found += [(choice, "")] if isinstance(choice, str) else list(choice.items())
    return found


def _check(name: str, expression: str) -> None:
    key, equals, value = name.partition("=")
    if expression:
        _check_expression(name, expression)
    elif equals and key and value:
        family = BY_NAME.get(key)
        if family is not None and family.values and value not in family.values:
            raise SubsetError(f"unknown value of {name!r}{suggest(value, family.values)}")
    elif name not in (*SUBSETS, MOST_DIVERSE):
        raise SubsetError(
            f"unknown subset {name!r}: choose from {', '.join([*SUBSETS, MOST_DIVERSE])}, name a stratum as key=value "
            f"(keys: {', '.join(BY_NAME)}, and the data set's own), or write {{{name or 'name'}: expression}}"
        )


def _check_expression(name: str, expression: str) -> None:
    if name in TAKEN or not _NAME.fullmatch(name):
        reason = "is taken" if name in TAKEN else "is not made of letters, digits and underscores"
        raise SubsetError(f"the name {name!r} of an expression {reason}: choose another")
    try:
        parse(expression)
    except SubsetError as error:
        raise SubsetError(f"subset {name!r}: {error}") from error


def _subset(name: str, expression: str, records: Iterable[ImageRecord]) -> Membership:
    if expression:
        return parse(expression)
    if name == MOST_DIVERSE:
        diverse = most_diverse_reports(records)
        return lambda record, sentence: record.image_id in diverse
    if name in SUBSETS:
        return SUBSETS[name]
    key, _, value = name.partition("=")
    return _stratum(family_of(key), value)


def _stratum(family: Family, value: str) -> Membership:
    return lambda record, sentence: value in family.of(record, sentence)


def _values_found(family: Family, records: Iterable[ImageRecord]) -> list[str]:
    """Every value that a sentence of the data set has, sorted."""
    found: set[str] = set()
    for record in records:
        for sentence in record.sentences:
            found |= family.of(record, sentence)
    if not found and family.name not in BY_NAME:
        raise SubsetError(
            f"no sentence or image is labelled with {family.name!r}: the families of every data set are "
            f"{', '.join(BY_NAME)}"
        )
    if len(found) > MOST_VALUES:
        raise SubsetError(
            f"{family.name!r} has {len(found)} values, more than {MOST_VALUES}: name those that you want as "
            f"{family.name}=value under subsets"
        )
    return sorted(found)
