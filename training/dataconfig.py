"""The key `data` of a recipe: the built-in phantoms, or any data set that the harness reads."""

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from harness.dataset.config import (
    AnyDatasetConfig,
    ChestImagenomeSilverConfig,
    DatasetConfig,
    PhantomConfig,
    RealCxrConfig,
)
from wronglung.model.strict import StrictModel


class DataConfig(StrictModel):
    """What can be said of any source of studies."""

    mirrored: bool = False
    """Learn from every study's mirror image too, its sides exchanged in words and truth."""
    abnormal_share: float = Field(default=0.5, ge=0, le=1)
    """Probability with which a study's sentence is drawn among its abnormal ones, if it has any."""


class PhantomData(DataConfig):
    """Which phantom patients are learned from, and which are only looked at."""

    dataset: Literal["phantom"] = "phantom"
    """The word phantom; any other data set is described by its settings, as in a run file of the harness."""
    seed: int = Field(default=0, ge=0)
    """Another one makes other training and validation patients."""
    split: Literal["train"] = "train"
    """Learning from validation or test patients is refused here."""
    patients: int = Field(default=2000, ge=2)
    """Patients of the split "train"."""
    validation_patients: int = Field(default=100, ge=2)
    """Patients of the split "validation": for early stopping."""
    test_seed: int = Field(default=0, ge=0)
    """Seed of the test patients: raise it once their results have been looked at while a recipe was chosen."""
    test_patients: int = Field(default=100, ge=1)
    """Patients of the split "test": for the card, once, after training."""

    @field_validator("dataset", mode="before")
    @classmethod
    def _is_phantom(cls, dataset: Any) -> Any:
        if dataset != "phantom":
            raise ValueError(f"a data set other than phantom is described by its settings: {{kind: {dataset}, …}}")
        return dataset

    def learned(self) -> PhantomConfig:
        """The patients that are learned from."""
        return PhantomConfig(kind="phantom", split="train", patients=self.patients, seed=self.seed)

    def held_out(self) -> PhantomConfig:
        """The validation patients."""
        return PhantomConfig(kind="phantom", split="validation", patients=self.validation_patients, seed=self.seed)

    def tested(self) -> PhantomConfig:
        """The patients of the card."""
        return PhantomConfig(kind="phantom", split="test", patients=self.test_patients, seed=self.test_seed)


class FiledData(DataConfig):
    """A data set of the harness, read from files; `dataset` is what it is in a run file of the harness."""

    dataset: DatasetConfig
    """What is learned from, e.g. {kind: jsonl, path: my/data.jsonl}; this and the keys down to `data.test` then take
    the place of those for phantoms."""
    validation: DatasetConfig | None = None
    """What is only looked at, for early stopping. null: the split "valid" of Chest ImaGenome's silver set; of any other
    data set the patients that `validation_share` sets aside."""
    validation_share: float = Field(default=0.1, gt=0, lt=1)
    """Share of the patients that are set aside where there are no other data: a hash of the id decides for each."""
    split_seed: int = Field(default=0, ge=0)
    """Another one sets other patients aside."""
    test: DatasetConfig | None = None
    """For the card, once, after training; null: the card then has no results."""

    @field_validator("dataset", "validation")
    @classmethod
    def _is_no_data_for_evaluation_only(cls, dataset: AnyDatasetConfig | None) -> AnyDatasetConfig | None:
        if isinstance(dataset, RealCxrConfig):
            raise ValueError("real_cxr is for evaluation only: no weights may be chosen by it; name it as data.test")
        return dataset

    @model_validator(mode="after")
    def _learns_from_training_data(self) -> Self:
        if isinstance(self.dataset, PhantomConfig):
            raise ValueError("dataset: write `dataset: phantom` and its keys beside it: then all that is true is known")
        split = getattr(self.dataset, "split", None)
        if split not in (None, "train"):
            raise ValueError(f"dataset.split must be train, got {split}: nobody learns from what a model is judged by")
        return self

    def learned(self) -> AnyDatasetConfig:
        """What is learned from, with those that may be set aside."""
        return self.dataset

    def held_out(self) -> AnyDatasetConfig | None:
        """The data set of validation patients; None: they are a share of those that are learned from."""
        if self.validation is None and isinstance(self.dataset, ChestImagenomeSilverConfig):
            return self.dataset.model_copy(update={"split": "valid"})
        return self.validation

    def tested(self) -> AnyDatasetConfig | None:
        """The data set of the card."""
        return self.test


def _source(data: Any) -> str:
    """Phantoms unless a data set is described."""
    dataset = data.get("dataset", "phantom") if isinstance(data, dict) else getattr(data, "dataset", "phantom")
    return "phantom" if isinstance(dataset, str) else "files"


AnyData = Annotated[
    Annotated[PhantomData, Tag("phantom")] | Annotated[FiledData, Tag("files")],
    Discriminator(_source),
]
"""Which of the two, by whether `dataset` is a word or a description."""
