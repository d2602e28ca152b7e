"""What a model's card says of the data: in words, without a path or an id of a patient."""

from harness.dataset.phantom import GENERATOR_VERSION
from training.dataconfig import AnyData, PhantomData


def learned_from(data: AnyData, studies: int, *, phantoms_alone: bool) -> str:
    """What the model has learned from; `phantoms_alone`: its first weights have seen no picture of a patient either."""
    mirrored = ", half of them mirror images with their words exchanged" if data.mirrored else ""
    if isinstance(data, PhantomData):
        return (
            f"{studies:,} phantom radiographs of {data.patients:,} procedural patients (generator {GENERATOR_VERSION},"
            f' seed {data.seed}, split "train"){mirrored}{"; no picture of a real patient" if phantoms_alone else ""}'
        )
    return f"{studies:,} radiographs of the data set {data.dataset.kind}{mirrored}"


def held_out(data: AnyData) -> str:
    """Whom the checkpoint was chosen by."""
    if isinstance(data, PhantomData):
        return f"{data.validation_patients} validation patients"
    if data.held_out() is not None:
        return "validation patients"
    return f"patients that were set aside (share {data.validation_share}, seed {data.split_seed})"


def tested_on(data: AnyData, studies: int) -> str:
    """Whom the results are of."""
    if isinstance(data, PhantomData):
        return (
            f"{studies} studies of {data.test_patients} **test** patients\n"
            f"(phantom, generator {GENERATOR_VERSION}, seed {data.test_seed})"
        )
    return f"{studies} **test** studies of the data set {data.test.kind if data.test else 'none'}"


def has_seen(*, phantoms_alone: bool) -> str:
    """What the maps may be expected to mean, by what the model and its first weights have seen."""
    if phantoms_alone:
        seen = "it has seen nothing but procedural pictures"
        return f"{seen}, and its maps on real radiographs mean nothing for a patient"
    return "nobody has examined what its maps mean for a patient"
