"""What a perturbation declares, and where a user adds one.

A perturbation of your own makes one `Case` of each sentence of an image (`base.Perturbation`)::

    from harness.case import Case
    from harness.perturbation import Declaration, not_applicable

    class Shout:
        name = "shout"

        def cases(self, record):
            return [self._case(record, sentence) for sentence in record.sentences]

        def _case(self, record, sentence):
            text = sentence.text.upper()
            if text == sentence.text:
                return not_applicable(record, sentence, self.name, "is in capitals already")
            return Case(record, sentence, self.name, text, sentence.boxes)

    shout = Declaration(
        name="shout",
        label="in capitals",
        description="The sentence is written in capitals.",
        not_for="sentences in capitals",
        make=lambda pools, seed: Shout(),
    )

`register(shout)` adds it to the running process; an entry point adds it wherever your package is installed::

    [project.entry-points."wronglung.perturbations"]
    shout = "mypackage.perturbations:shout"

Draw at random with `base.stable_rng(seed, name, sentence_id)` alone, so that neither order nor limit changes a case. A
case whose boxes alone are changed says ``sends="nothing"``. When the definition changes, change the name: parts of a
killed run are told apart by it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from harness.perturbation.base import UNPERTURBED, Perturbation
from harness.perturbation.pools import Pools

ENTRY_POINTS = "wronglung.perturbations"


@dataclass(frozen=True, slots=True)
class Declaration:
    """A perturbation, and what a reader must know of it.

    Raises:
        ValueError: the name is not an identifier.
    """

    name: str
    """Key in run files and results."""
    label: str
    """What reports call it."""
    description: str
    """What is changed, and what stays."""
    make: Callable[[Pools, int], Perturbation]
    """Makes it for a data set and a seed."""
    not_for: str = ""
    """The sentences that it does not apply to."""
    baseline: str = UNPERTURBED
    """The arm that it is compared with, sentence by sentence."""

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise ValueError(f"a perturbation's name is a word of letters, digits and underscores, got {self.name!r}")


_registered: dict[str, Declaration] = {}


def register(*declarations: Declaration) -> None:
    """Add perturbations to this process.

    Raises:
        ValueError: another perturbation has the name.
    """
    for declaration in declarations:
        if _registered.setdefault(declaration.name, declaration) != declaration:
            raise ValueError(f"there is a perturbation {declaration.name!r} already; give yours another name")


def registered() -> dict[str, Declaration]:
    """Every perturbation by its name: the built-in ones first, then those of users."""
    _load_entry_points()
    return dict(_registered)


def baseline_of(perturbation: str) -> str:
    """The arm that a perturbation's rows are compared with, sentence by sentence (arXiv 2210.06565)."""
    declaration = registered().get(perturbation)
    return declaration.baseline if declaration else UNPERTURBED


@cache
def _load_entry_points() -> None:
    register(*_declared(entry_points(group=ENTRY_POINTS)))


def _declared(points: Iterable[EntryPoint]) -> Iterable[Declaration]:
    for point in points:
        try:
            declaration = point.load()
        except Exception as error:  # a user's module may raise anything when it is imported
            raise ValueError(f"entry point {point!r} cannot be loaded: {error}") from error
        if not isinstance(declaration, Declaration):
            raise ValueError(f"entry point {point!r} is not a harness.perturbation.Declaration")
        yield declaration
