"""What a model's card says of its recipe: which sentences it read, what was asked of it, and by which sentences."""

from collections.abc import Sequence
from typing import assert_never

from training.config import ContrastiveRecipe, FewShotRecipe, GroundingRecipe, LossConfig, ModelRecipe
from training.sentence_config import PackageConfig, SentencesConfig, WordMaskingConfig
from wronglung.model.config import AnyNetworkConfig, DualEncoderConfig, GrounderConfig, NetworkConfig

_OPTIONAL = {
    "opt_out_weight": "the penalty on withheld attention",
    "entropy_weight": "the maps' entropy",
    "divergence_weight": "the likeness of different sentences' maps",
}


def first_weights(recipe: ModelRecipe, digest: str | None) -> str:
    """Where the first weights came from; `digest` is the SHA-256 of those of a model's folder."""
    if isinstance(recipe, GroundingRecipe) or recipe.start_from is None:
        return "random"
    if digest is not None:
        return f"those of the model `{recipe.start_from}` (SHA-256 {digest})"
    return f"the result of `{recipe.start_from}`"


def beside(recipe: ModelRecipe, digest: str | None) -> str:
    """What to say after the time that training took where another recipe's run came first; `digest` as above."""
    first = None if isinstance(recipe, GroundingRecipe) or digest is not None else recipe.start_from
    return "" if first is None else f", beside that of `{first}`"


def few_of(recipe: ModelRecipe) -> str:
    """What to say before the training data where only a few sentences of them were read."""
    return f"{recipe.shots} sentences of " if isinstance(recipe, FewShotRecipe) else ""


def sentences(recipe: ModelRecipe) -> str:
    """Which sentences an image was paired with, and what was hidden in them."""
    if isinstance(recipe, GroundingRecipe):
        exchanged = "also with left and right exchanged"
        return f"up to {recipe.sentences_of_study} of each report together, {exchanged}; {_boxes(recipe)}"
    return _drawn(recipe.sentences, recipe) + _hidden(recipe.sentences)


def loss(recipe: ModelRecipe) -> str:
    """What was asked of the network."""
    if isinstance(recipe, GroundingRecipe):
        return (
            "the divergence between boxes and map; the cross entropy of whether a sentence is true of an image and no"
            " denial, exchanged sentences counted once more; a contrastive loss on the global embeddings (ADR 0099)"
        )
    if isinstance(recipe, FewShotRecipe):
        return "−log of the share of a sentence's map that lies inside its boxes; no other loss"
    alike = "sentences that read like an image's own are no negatives of it"
    true = "pairs whose sentence is true for the image are no negatives"
    kept = alike if recipe.sentences.draw == "other_report" else true
    return f"GLoRIA's local and global contrastive losses; {kept}{_hard(recipe.loss)}{_optional(recipe.loss)}"


def shots(sentence_ids: Sequence[str]) -> str:
    """A section with the sentences of few-shot finetuning; empty without any."""
    if not sentence_ids:
        return ""
    listed = "\n".join(f"- `{sentence_id}`" for sentence_id in sentence_ids)
    intro = "Drawn by the seed from the reports of training patients; their ids:"
    return f"\n## The {len(sentence_ids)} sentences\n\n{intro}\n\n{listed}\n"


def notes(recipe: ModelRecipe) -> str:
    """A section in the author's words; empty without any."""
    return f"\n## Beyond\n\n{recipe.notes.strip()}\n" if recipe.notes else ""


def architecture(network: AnyNetworkConfig) -> str:
    """Which architecture it is."""
    match network:
        case NetworkConfig():
            return f"GLoRIA (ICCV 2021) {'with' if network.has_opt_out else 'without'} opt-out vector"
        case DualEncoderConfig():
            return "dual encoder: a vision transformer and a BERT in one space, one softmax over the patches"
        case GrounderConfig():
            return "grounder: one softmax over the regions, an opt-out decided per sentence (ADR 0099)"
        case _:
            assert_never(network)


def unit(recipe: ModelRecipe) -> str:
    """What a batch is counted in."""
    return "images" if isinstance(recipe, GroundingRecipe) else "pairs"


def _boxes(recipe: GroundingRecipe) -> str:
    return "boxes of all of them" if recipe.boxed_sentences is None else f"boxes of {recipe.boxed_sentences} of them"


def _drawn(config: SentencesConfig, recipe: ContrastiveRecipe | FewShotRecipe) -> str:
    if isinstance(recipe, FewShotRecipe):
        kind = "abnormal sentences" if config.draw == "abnormal" else "sentences"
        more = f"{recipe.held_out} more of validation patients chose the checkpoint"
        return f"{recipe.shots} {kind} with boxes, listed below; {more}"
    share = f"{recipe.data.abnormal_share:.0%} of them among the abnormal ones, where there are any"
    return {
        "own": f"of the image's own report, {share}",
        "abnormal": "of the image's own report, and only those that state an abnormal finding",
        "other_report": f"of another patient's report, another each time: a control that knows no pairs; {share}",
    }[config.draw]


def _hidden(config: SentencesConfig) -> str:
    masking = config.masking
    if masking is None:
        return ""
    if isinstance(masking, WordMaskingConfig):
        return f"; {masking.share:.0%} of the words hidden, others each time"
    known = masking.recogniser
    by = f"the spaCy package {known.package}" if isinstance(known, PackageConfig) else "a vocabulary"
    return f"; {masking.share:.0%} of the clinical entities (found by {by}) hidden, others each time"


def _hard(config: LossConfig) -> str:
    return "; a sentence with its side exchanged is one more negative of its image" if config.hard_negatives else ""


def _optional(config: LossConfig) -> str:
    weights = {words: getattr(config, key) for key, words in _OPTIONAL.items()}
    return "".join(f"; {weight:g} × {words}" for words, weight in weights.items() if weight)
