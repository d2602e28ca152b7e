"""wronglung-1's architecture: a sentence asks twice, where to look and whether what it says is to be seen there.

Where: the sentence's first question gives every region a score, and one softmax over the regions makes them a map. So a
map can be as sharp as it needs to be (GLoRIA's two softmaxes keep it within a factor e^4), and nothing shares it among
the words. Whether: its second question looks for evidence in the regions, weighted by that map. From the evidence and
the sentence alone comes the opt-out mass, one decision for the whole sentence, which takes attention from the map.

Shapes: B images or sentences, N regions, D dimension of a question, E of the regions' encoder.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertModel, ResNetConfig, ResNetModel

from wronglung.model.architecture import Architecture, Match
from wronglung.model.bert import bert_config, piece_ids
from wronglung.model.config import GrounderConfig, RegionsConfig
from wronglung.model.image import network_input
from wronglung.model.text import TokenizedSentence


class RegionFeatures(NamedTuple):
    """What is known of one image."""

    places_ND: Tensor
    """Answers of every region to "where?", row-major from the top left."""
    evidence_ND: Tensor
    """Answers of every region to "is it so?"."""
    global_D: Tensor


class QuestionFeatures(NamedTuple):
    """What one sentence asks."""

    place_D: Tensor
    """The question "where?"."""
    evidence_D: Tensor
    """The question "is it so?"."""
    prior: Tensor
    """() what the words alone say of the match, in nats; a denial finds nothing to look at."""
    global_D: Tensor


class Grounding(NamedTuple):
    """Sentences held against images; leading dimensions broadcast."""

    log_map_N: Tensor
    """Logarithm of the map before opting out: its exponential sums to 1."""
    match: Tensor
    """Log odds that there is something to look at; the opt-out mass is the logistic function of their negative."""


class RegionEncoder(nn.Module):
    """Frames → regions that know where they are and what the others show.

    A residual network makes the regions. Each gets a learned vector for its place in the frame, and a transformer lets
    them look at each other: which lung is the left one is no local matter. Either can be left out by config.
    """

    def __init__(self, config: GrounderConfig) -> None:
        super().__init__()
        sizes, width = config.image, config.regions.hidden_size
        self.input_size = sizes.input_size
        self.local_stage = sizes.local_stage
        self.backbone = ResNetModel(
            ResNetConfig(
                embedding_size=sizes.embedding_size,
                hidden_sizes=list(sizes.hidden_sizes),
                depths=list(sizes.depths),
                layer_type=sizes.block,
            )
        )
        self.embed = nn.Linear(sizes.hidden_sizes[sizes.local_stage - 1], width)
        places_NE = torch.randn(config.grid_side**2, width) * 0.02
        self.position = nn.Parameter(places_NE) if config.regions.positions else None
        self.context = _context(config.regions)
        self.answers = nn.Linear(width, 2 * config.embedding_size)
        self.whole = nn.Linear(width, config.embedding_size)

    def forward(self, frames_BHW: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, N, D), (B, N, D) and (B, D): the fields of `RegionFeatures`.

        Raises:
            ValueError: the tensor is not [B, H, W].
        """
        inputs_B3SS = network_input(frames_BHW, self.input_size).to(self.backbone.dtype)
        hidden_BERC = self.backbone(inputs_B3SS, output_hidden_states=True).hidden_states[self.local_stage]
        regions_BNE = self.embed(hidden_BERC.flatten(2).transpose(1, 2))
        if self.position is not None:
            regions_BNE = regions_BNE + self.position
        regions_BNE = self.context(regions_BNE)
        places_BND, evidence_BND = self.answers(regions_BNE).chunk(2, dim=-1)
        return places_BND, evidence_BND, self.whole(regions_BNE.mean(1))


def _context(config: RegionsConfig) -> nn.Module:
    """The transformer over the regions; without layers only the normalisation at its end is left."""
    width = config.hidden_size
    if not config.layers:
        return nn.LayerNorm(width)
    layer = nn.TransformerEncoderLayer(
        width, config.heads, config.intermediate_size, 0.0, "gelu", batch_first=True, norm_first=True
    )
    return nn.TransformerEncoder(layer, config.layers, nn.LayerNorm(width), enable_nested_tensor=False)


class QuestionEncoder(nn.Module):
    """Tokenized sentences → their questions, from a BERT's start token."""

    def __init__(self, config: GrounderConfig) -> None:
        super().__init__()
        self.bert = BertModel(bert_config(config.text), add_pooling_layer=False)
        self.questions = nn.Linear(config.text.hidden_size, 3 * config.embedding_size + 1)

    def forward(self, sentences: list[TokenizedSentence]) -> list[QuestionFeatures]:
        """Encode sentences that all have the same number of word pieces.

        Raises:
            ValueError: the sentences differ in length, or there are none.
        """
        first_BE = self.bert(input_ids=piece_ids(sentences, self.bert.device)).last_hidden_state[:, 0]
        size = (self.questions.out_features - 1) // 3
        place_BD, evidence_BD, global_BD, prior_B1 = self.questions(first_BE).split([size, size, size, 1], dim=-1)
        fields = (place_BD, evidence_BD, prior_B1.squeeze(-1), global_BD)
        return [QuestionFeatures(*one) for one in zip(*fields, strict=True)]


class Grounder(Architecture[RegionFeatures, QuestionFeatures]):
    """Where a sentence points, and whether what it says is there."""

    def __init__(self, config: GrounderConfig) -> None:
        super().__init__()
        self.config = config
        self.image = RegionEncoder(config)
        self.text = QuestionEncoder(config)

    def encoders(self) -> Sequence[nn.Module]:
        """Both encoders; there is nothing else with weights."""
        return self.image, self.text

    def encode_images(self, frames_BHW: Tensor) -> list[RegionFeatures]:
        """The answers of each image's regions."""
        return [RegionFeatures(*one) for one in zip(*self.image(frames_BHW), strict=True)]

    def encode_sentences(self, sentences: list[TokenizedSentence]) -> list[QuestionFeatures]:
        """The questions of each sentence."""
        questions: list[QuestionFeatures] = self.text(sentences)
        return questions

    def map_regions(self, image: RegionFeatures, text: QuestionFeatures) -> Tensor:
        """The map before opting out: its sum is 1."""
        return ground(image, text).log_map_N.exp()

    def match(self, image: RegionFeatures, sentence: TokenizedSentence, text: QuestionFeatures) -> Match:
        """The map and, taken from it, the opt-out mass. Local similarity: the log odds of the match."""
        grounding = ground(image, text)
        opt_out = torch.sigmoid(-grounding.match)
        return Match(
            map=(torch.sigmoid(grounding.match) * grounding.log_map_N.exp()).cpu().numpy(),
            word_maps=None,
            opt_out=float(opt_out),
            local_similarity=float(grounding.match),
            global_similarity=float(functional.cosine_similarity(text.global_D, image.global_D, dim=-1)),
        )


def ground(image: RegionFeatures, text: QuestionFeatures) -> Grounding:
    """``map = softmax_n(p·P_n/√D)``; ``match = prior + log Σ_n map_n exp(e·E_n/√D)``: evidence where the map lies."""
    scale = 1 / math.sqrt(text.place_D.shape[-1])
    log_map_N = torch.log_softmax(scale * _answers(image.places_ND, text.place_D), dim=-1)
    evidence_N = scale * _answers(image.evidence_ND, text.evidence_D)
    return Grounding(log_map_N, text.prior + torch.logsumexp(log_map_N + evidence_N, dim=-1))


def _answers(regions_ND: Tensor, question_D: Tensor) -> Tensor:
    """(…, N) inner products."""
    return torch.einsum("...nd,...d->...n", regions_ND, question_D)
