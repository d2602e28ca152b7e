"""Every option of a recipe, read from one YAML file. Unknown keys and wrong types are errors that name them.

There are four kinds of recipe: "findings" teaches the image encoder what is there, "contrastive" teaches both encoders
which sentence belongs to which image, "few_shot" finetunes a model on a few boxes, "grounding" teaches wronglung-1
where a sentence points and whether it is true.
"""

import json
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, RootModel, model_validator

from training.dataconfig import AnyData, PhantomData
from training.domain import DomainConfig
from training.logs import LogName
from training.recipe_files import read_document
from training.sentence_config import SentencesConfig
from wronglung.model.config import AnyNetworkConfig, CleaningConfig, GrounderConfig, NetworkConfig, PreprocessConfig
from wronglung.model.strict import StrictModel, parse_config


class AugmentConfig(StrictModel):
    """What is done to a training image, beside the random crop."""

    brightness: float = Field(default=0.1, ge=0, lt=1)
    """Largest shift, as a share of the full range."""
    contrast: float = Field(default=0.2, ge=0, lt=1)
    """Largest relative change of the contrast about the middle grey."""
    gamma: float = Field(default=0.2, ge=0, lt=1)
    """Largest relative change of the exponent on the grey levels."""


class LossConfig(StrictModel):
    """The contrastive losses' temperatures (GLoRIA's "temp2" and "temp3") and weights."""

    word_temperature: float = Field(default=5.0, gt=0)
    """Sharpness with which a sentence's score prefers its best words."""
    batch_temperature: float = Field(default=10.0, gt=0)
    """Factor on the scores in the softmax over the batch."""
    local_weight: float = Field(default=1.0, ge=0)
    """Of the two cross entropies on words and regions."""
    global_weight: float = Field(default=1.0, ge=0)
    """Of the two on global embeddings."""
    opt_out_weight: float = Field(default=0.0, ge=0)
    """Of the penalty on withholding attention from a matching image; only with an opt-out vector."""
    entropy_weight: float = Field(default=0.0, ge=0)
    """Of the maps' entropy."""
    divergence_weight: float = Field(default=0.0, ge=0)
    """Of the likeness of different sentences' maps on one image. As in the study all sentences of a batch count as
    different: two wordings of one finding are pushed apart too."""
    hard_negatives: bool = False
    """A sentence that names exactly one side stands once more in its own image's softmaxes over the sentences, with the
    other side named, unless that is true too (`training.negatives.hard_negatives`)."""

    @property
    def looks_at_maps(self) -> bool:
        """Whether any loss on where the attention lies has a weight."""
        return any((self.opt_out_weight, self.entropy_weight, self.divergence_weight))


class OptimiserConfig(StrictModel):
    """AdamW with linear warm-up and cosine decay."""

    learning_rate: float = Field(default=1e-3, gt=0)
    """The highest, after the warm-up."""
    betas: tuple[float, float] = (0.9, 0.999)
    """AdamW's memory of the gradient and of its square."""
    weight_decay: float = Field(default=0.01, ge=0)
    """AdamW's, on all weights."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Of the image encoder's forward pass. Losses, attention and weights are always fp32."""
    warmup_steps: int = Field(default=100, ge=0)
    """The learning rate rises over so many."""
    gradient_clip: float = Field(default=1.0, gt=0)
    """Longest gradient over all weights."""


class ScheduleConfig(StrictModel):
    """How long to train, and when to look."""

    steps: int = Field(default=1500, ge=1)
    """The most batches on each device."""
    batch: int = Field(default=48, ge=2)
    """Studies that meet in a batch, on each device if there are several."""
    evaluate_every: int = Field(default=100, ge=1)
    """Steps between two looks at the validation patients; the last step is looked at in any case."""
    patience: int = Field(default=10, ge=1)
    """Stop after this many looks without a lower validation loss."""


class AttentionStart(StrictModel):
    """What is done to the region embeddings before the first step, so that the attention begins soft and even.

    Their common part is taken away: with it one word claims all of the background, and what lies around a finding,
    shared between two words, gets less attention than the background far off. Then they are scaled.
    """

    spread: float = Field(default=1.0, gt=0)
    """Standard deviation between a sentence's words of their scores with a region, over the first batch. The weights
    that make the region embeddings (and the opt-out vector) are multiplied to reach it. At their natural size the
    softmax over words is all or nothing, and no gradient passes through it."""
    rate: float = Field(default=0.05, gt=0)
    """Learning rate of these weights, relative to the others'."""


class Recipe(StrictModel):
    """What every kind of recipe says."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    """Name of the model: its folder in the model store."""
    version: str = "1.0"
    """Version of the model, as served by default."""
    purpose: str = Field(min_length=1)
    """One sentence for the card: what this model is."""
    notes: str = ""
    """A section of the card in Markdown: what else was measured, by which command, and how often it was looked at."""
    seed: int = Field(default=0, ge=0, lt=2**63)
    """Of first weights and batches: the same one gives the same weights on the same kind of CPU."""
    threads: int = Field(default=1, ge=1)
    """Threads of this process. Part of the recipe: other numbers round differently."""
    data: AnyData = PhantomData()
    preprocess: PreprocessConfig = PreprocessConfig()
    cleaning: CleaningConfig = CleaningConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    logs: tuple[LogName, ...] = Field(default=("csv",), min_length=1)
    """Where every look is written down: `log.csv` and the folder `tensorboard` of the run."""

    @model_validator(mode="after")
    def _batches_can_be_filled(self) -> Self:
        if not isinstance(self.data, PhantomData):
            return self  # how many there are is known once the files have been read
        fewest = min(self.data.patients, self.data.validation_patients)
        if self.schedule.batch > fewest:
            raise ValueError(
                f"schedule.batch ({self.schedule.batch}) takes one study per patient; there are only {fewest} patients"
            )
        return self


class SentencesRecipe(Recipe):
    """Learns from pairs of an image and one sentence."""

    sentences: SentencesConfig = SentencesConfig()
    augment: AugmentConfig = AugmentConfig()


class PairsRecipe(SentencesRecipe):
    """GLoRIA's two encoders learn from pairs of an image and a sentence."""

    network: NetworkConfig
    """`network.text.vocab_size` bounds the vocabulary, which is learned from the training sentences."""

    @model_validator(mode="after")
    def _masks_are_kept(self) -> Self:
        if self.sentences.masking is not None and not self.cleaning.keep_mask_token:
            raise ValueError('sentences.masking needs cleaning.keep_mask_token: true, or "[MASK]" is read as a word')
        return self


class FindingsRecipe(PairsRecipe):
    """Stage one: both encoders learn to name findings, the image's and the sentence's, each with its side."""

    kind: Literal["findings"]
    """This kind."""
    shared_head: bool = True
    """One classifier reads regions and words, so that both draw near each other. False: one each, for a control that
    must not know which words belong to which pictures; the encoders then have as little in common as two networks that
    were pretrained apart."""


class ContrastiveRecipe(PairsRecipe):
    """Stage two: both encoders learn which sentence belongs to which image, by GLoRIA's losses."""

    kind: Literal["contrastive"]
    """This kind."""
    start_from: str | None = None
    """Whose weights are the first ones: a model's folder, or another recipe (its best; it is run first if its result is
    not there); looked for in the current folder, then in the repository. Random weights if null. Only one of the two
    may have an opt-out vector."""
    loss: LossConfig = LossConfig()
    attention_start: AttentionStart = AttentionStart()

    @model_validator(mode="after")
    def _penalty_has_an_opt_out(self) -> Self:
        if self.loss.opt_out_weight and not self.network.attention.opt_out:
            raise ValueError("loss.opt_out_weight needs network.attention.opt_out: true")
        return self

    @model_validator(mode="after")
    def _the_control_knows_no_truth(self) -> Self:
        if self.loss.hard_negatives and self.sentences.draw == "other_report":
            raise ValueError(
                "loss.hard_negatives asks what is true of an image, which sentences.draw: other_report must not"
            )
        return self


class FewShotRecipe(SentencesRecipe):
    """Finetuning on a few sentences with boxes: the share of a map inside them is all that counts. The network,
    `preprocess` and `cleaning` are those of the checkpoint, which may have any architecture: the file leaves them out.
    """

    of_checkpoint: ClassVar[frozenset[str]] = frozenset({"network", "preprocess", "cleaning"})
    """Keys that the file must leave out."""
    kind: Literal["few_shot"]
    """This kind."""
    start_from: str
    """The checkpoint: a model's folder, or a recipe that is run first if its result is not there; looked for in the
    current folder, then in the repository."""
    network: AnyNetworkConfig = NetworkConfig()
    shots: int = Field(default=30, ge=1)
    """Sentences with boxes, drawn by `seed` from the reports of training patients."""
    held_out: int = Field(default=200, ge=1)
    """Sentences with boxes, drawn by `seed` from the reports of validation patients: for early stopping and the log."""

    @model_validator(mode="before")
    @classmethod
    def _the_model_is_the_checkpoints(cls, document: Any) -> Any:
        if isinstance(document, dict) and (said := cls.of_checkpoint & document.keys()):
            raise ValueError(f"{', '.join(sorted(said))}: leave out what the checkpoint of start_from says")
        return document

    @model_validator(mode="after")
    def _shots_are_its_own_sentences(self) -> Self:
        if self.sentences.draw == "other_report" or self.sentences.masking is not None:
            raise ValueError("sentences: a shot is a sentence as it was written of its own image")
        return self


class GroundingLossConfig(StrictModel):
    """Weights of wronglung-1's losses (`training.grounding.GroundingObjective`)."""

    where: float = Field(default=1.0, ge=0)
    """Of the divergence between a sentence's boxes and its map."""
    whether: float = Field(default=1.0, ge=0)
    """Of the cross entropy of the match between images and sentences."""
    exchanged: float = Field(default=1.0, ge=0)
    """Of the cross entropy of the match for sentences that had left and right exchanged."""
    whole: float = Field(default=0.25, ge=0)
    """Of the contrastive loss on the global embeddings."""
    batch_temperature: float = Field(default=10.0, gt=0)
    """Factor on their cosines in the softmax over the batch (GLoRIA's "temp3")."""


class GroundingRecipe(Recipe):
    """wronglung-1: boxes teach where a sentence points, true and false sentences whether what it says is there.

    All sentences of a report are learned from together; `data.abnormal_share` has no use here.
    """

    kind: Literal["grounding"]
    """This kind."""
    network: GrounderConfig
    """`network.text.vocab_size` bounds the vocabulary, which is learned from the training sentences."""
    domain: DomainConfig = DomainConfig()
    """How pictures are changed."""
    loss: GroundingLossConfig = GroundingLossConfig()
    sentences_of_study: int = Field(default=5, ge=1)
    """The most sentences of one study in a batch."""
    exchanged_sentences: bool = True
    """Whether a sentence that names one side also stands in its batch with the other: the hard negatives."""
    boxed_sentences: int | None = Field(default=None, ge=0)
    """How many training sentences, drawn by `seed` among the abnormal ones, have boxes; null: all have."""


AnyRecipe = FindingsRecipe | ContrastiveRecipe | FewShotRecipe | GroundingRecipe
ModelRecipe = ContrastiveRecipe | FewShotRecipe | GroundingRecipe
"""Recipes that give a model to be published."""


class RecipeFile(RootModel[Annotated[AnyRecipe, Field(discriminator="kind")]]):
    """The whole of a training file."""


def load_recipe(path: Path) -> AnyRecipe:
    """Read a training file and the recipe that its key `base` names, if it has one (`recipe_files.read_document`).

    Raises:
        ModelFilesError: unreadable, not YAML, or a key is unknown, missing or of the wrong type.
    """
    document = json.dumps(read_document(path), default=str)  # YAML knows dates: a version may look like one
    return parse_config(RecipeFile, document, str(path)).root


def reseeded(recipe: AnyRecipe, seed: int | None) -> AnyRecipe:
    """The recipe with another seed, and a name (so a folder) of its own; as it is for None or its own seed."""
    if seed is None or seed == recipe.seed:
        return recipe
    return recipe.model_copy(update={"seed": seed, "name": f"{recipe.name}-seed-{seed}"})
