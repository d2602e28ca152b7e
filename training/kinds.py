"""What each kind of recipe trains on and asks for."""

from functools import partial
from typing import Any

from tokenizers import Tokenizer

from harness.case import Sentence
from harness.dataset.base import Dataset
from training.batches import BatchSource
from training.claims import GroundingBatches, Sizes, exchange_sides
from training.config import AnyRecipe, FewShotRecipe, FindingsRecipe, GroundingRecipe, PairsRecipe
from training.contrastive import ContrastiveObjective
from training.draws import make_draw
from training.fewshot import FewShotObjective
from training.findings import FindingsObjective, find_labels
from training.grounding import GroundingObjective
from training.masking import make_rewrite
from training.objective import Objective
from training.shots import Shot, ShotSource, draw_shots
from training.sources import first_patients
from training.studies import StudySet
from training.trainer import Batches
from wronglung.model.architecture import AnyArchitecture
from wronglung.model.grounder import Grounder
from wronglung.model.network import AlignmentNetwork
from wronglung.model.text import SentenceTokenizer, clean

_WATCHED_PATIENTS = 50
_VALIDATION_ROUNDS = 3


def make_batches(recipe: AnyRecipe, training: StudySet, validation: StudySet) -> Batches[Any]:
    """What is learned from, and what decides which checkpoint is the best: the batches of the recipe's objective."""
    if isinstance(recipe, GroundingRecipe):
        claims, looked_at = _claims(recipe, training, boxed_sentences(recipe, training)), _claims(recipe, validation)
        return Batches(claims.training, partial(looked_at.validation, recipe.seed, _VALIDATION_ROUNDS))
    if isinstance(recipe, FewShotRecipe):
        shots = ShotSource(training, recipe.preprocess, recipe.schedule.batch, training_shots(recipe, training))
        few = _shots(recipe, validation, recipe.held_out, "held_out (validation patients)")
        held_out = ShotSource(validation, recipe.preprocess, recipe.schedule.batch, few)
        return Batches(partial(shots.training, augment=recipe.augment), held_out.validation)
    learned, held = _pairs(recipe, training, "training"), _pairs(recipe, validation, "validation")
    return Batches(
        partial(learned.training, augment=recipe.augment), partial(held.validation, recipe.seed, _VALIDATION_ROUNDS)
    )


def training_shots(recipe: FewShotRecipe, training: StudySet) -> list[Shot]:
    """The sentences that few-shot finetuning learns from."""
    return _shots(recipe, training, recipe.shots, "shots (training patients)")


def make_objective(
    recipe: AnyRecipe,
    network: AnyArchitecture,
    tokenizer: Tokenizer,
    training: StudySet,
    batches: Batches[Any],
    validation: Dataset,
) -> Objective[Any]:
    """The recipe's loss, and what its log shows.

    Args:
        recipe: the recipe.
        network: with its first weights.
        tokenizer: the model's.
        training: what is learned from.
        batches: of those studies, and of validation patients.
        validation: these patients as the harness reads them.
    """
    tokenize = SentenceTokenizer(tokenizer, recipe.cleaning, recipe.network.text.max_word_pieces)
    watched = first_patients(validation, _WATCHED_PATIENTS)
    if isinstance(recipe, GroundingRecipe):
        assert isinstance(network, Grounder)
        return GroundingObjective(network, tokenize, recipe, watched)
    if isinstance(recipe, FewShotRecipe):
        return FewShotObjective(network, tokenize, recipe, batches.validation)
    assert isinstance(network, AlignmentNetwork)
    if isinstance(recipe, FindingsRecipe):
        return FindingsObjective(network, tokenize, find_labels(training.studies), recipe)
    return ContrastiveObjective(network, tokenize, recipe, watched)


def boxed_sentences(recipe: GroundingRecipe, training: StudySet) -> frozenset[str] | None:
    """Ids of the sentences whose boxes wronglung-1 learns from; None: all.

    Raises:
        ModelFilesError: there are not so many.
    """
    if recipe.boxed_sentences is None:
        return None
    asked = (recipe.boxed_sentences, recipe.seed)
    shots = draw_shots(training.studies, *asked, lambda sentence: sentence.abnormal, "boxed_sentences")
    return frozenset(shot.sentence.sentence_id for shot in shots)


def _claims(recipe: GroundingRecipe, studies: StudySet, boxed: frozenset[str] | None = None) -> GroundingBatches:
    image = recipe.network.image
    sizes = Sizes(recipe.schedule.batch, recipe.sentences_of_study, image.input_size, image.grid_side)
    exchange = exchange_sides if recipe.exchanged_sentences else _never
    return GroundingBatches(studies, recipe.preprocess, sizes, recipe.domain, boxed, exchange)


def _never(sentence: Sentence) -> None:
    """No sentence stands a second time with its sides exchanged."""


def _pairs(recipe: PairsRecipe, studies: StudySet, part: str) -> BatchSource:
    draw = make_draw(recipe.sentences, recipe.data.abnormal_share, studies.studies)
    rewrite = make_rewrite(recipe.sentences.masking, recipe.cleaning)
    return BatchSource(studies, recipe.preprocess, recipe.schedule.batch, draw, rewrite, part)


def _shots(recipe: FewShotRecipe, studies: StudySet, count: int, key: str) -> list[Shot]:
    return draw_shots(studies.studies, count, recipe.seed, partial(_may_be_shot, recipe), key)


def _may_be_shot(recipe: FewShotRecipe, sentence: Sentence) -> bool:
    """Whether the recipe draws such sentences, and the model's cleaning leaves something of it."""
    drawn = sentence.abnormal or recipe.sentences.draw != "abnormal"
    return drawn and (recipe.cleaning.empty == "encode_markers" or bool(clean(sentence.text, recipe.cleaning)))
