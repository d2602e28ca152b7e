"""Which sentences a recipe learns from, and what is hidden in them."""

from typing import Annotated, Literal

from pydantic import Field

from wronglung.model.strict import StrictModel


class WordMaskingConfig(StrictModel):
    """Some of a sentence's words become the tokenizer's mask token, others each time that the sentence is drawn."""

    kind: Literal["words"]
    """Whole words."""
    share: float = Field(default=0.3, gt=0, lt=1)
    """Of n words min(max(⌊share · n⌋, 1), n − 1) are hidden: at least one, but never all; of one word none."""


class VocabularyConfig(StrictModel):
    """Entities by a list of names of findings, anatomy and devices, and the words that go before them."""

    kind: Literal["vocabulary"] = "vocabulary"
    """A list."""
    file: str | None = None
    """Another list (`training.entities.EntityVocabulary`); null: `training/clinical_entities.yaml`."""


class PackageConfig(StrictModel):
    """Entities by a spaCy package with a trained recogniser, e.g. one of scispaCy's."""

    kind: Literal["spacy"]
    """A package."""
    package: str = Field(pattern=r"^[A-Za-z0-9_]+$")
    """Name of an installed package; what it calls an entity is one, whatever the label."""


RecogniserConfig = Annotated[VocabularyConfig | PackageConfig, Field(discriminator="kind")]


class EntityMaskingConfig(StrictModel):
    """All words of some clinical entities become the mask token, of others each time that the sentence is drawn."""

    kind: Literal["entities"]
    """Whole entities."""
    share: float = Field(default=0.5, gt=0, lt=1)
    """Of n entities min(max(⌊share · n⌋, 1), n − 1) are hidden: of one none."""
    recogniser: RecogniserConfig = VocabularyConfig()


MaskingConfig = Annotated[WordMaskingConfig | EntityMaskingConfig, Field(discriminator="kind")]


class SentencesConfig(StrictModel):
    """What an image is paired with. Validation sentences are drawn likewise, but nothing is hidden in them."""

    draw: Literal["own", "abnormal", "other_report"] = "own"
    """"own": any sentence of the image's report. "abnormal": only those that state an abnormal finding; images without
    one are left out. "other_report": a control, in which no pair belongs together: a sentence of another patient's
    report, another each time. What is true of the image then decides nothing, not even which pairs are no negatives."""
    masking: MaskingConfig | None = None
    """Needs `cleaning.keep_mask_token`."""
