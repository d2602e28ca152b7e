"""Stage one: an image's findings, by side, learned without boxes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from harness.case import Sentence, Triple
from harness.settings import ConfigError
from training.batches import Batch
from training.config import FindingsRecipe
from training.findings import FindingLabel, FindingsObjective, find_labels, labels_affirmed, labels_of
from training.studies import Study
from wronglung.model.bert import encode_grouped
from wronglung.model.config import CleaningConfig, NetworkConfig
from wronglung.model.network import AlignmentNetwork
from wronglung.model.parts_config import ImageEncoderConfig, TextEncoderConfig
from wronglung.model.text import SentenceTokenizer
from wronglung.model.tokenizer import from_vocabulary, vocabulary_with_alphabet

TOKENIZER = from_vocabulary(vocabulary_with_alphabet(["nodule", "heart", "left", "no"]))
TINY = NetworkConfig(
    image=ImageEncoderConfig(
        input_size=32, embedding_size=4, hidden_sizes=(8, 8), depths=(1, 1), block="basic", local_stage=2
    ),
    text=TextEncoderConfig(
        vocab_size=TOKENIZER.get_vocab_size(), hidden_size=8, layers=3, heads=2, intermediate_size=8, dropout=0
    ),
)


def study(*facts: tuple[str, str, bool]) -> Study:
    return Study("p", (), frozenset(Triple(*fact) for fact in facts), (0, 0, 1, 1))


LEFT_NODULE = study(("left lung", "nodule", True), ("left lung", "abnormal", True))
BIG_HEART = study(("cardiac silhouette", "enlarged cardiac silhouette", True))
HEALTHY = study(("left lung", "nodule", False))


def test_a_finding_is_told_by_itself_and_with_its_side() -> None:
    assert labels_of(LEFT_NODULE) == {FindingLabel("nodule", None), FindingLabel("nodule", "left")}


def test_what_lies_in_the_middle_has_no_side() -> None:
    assert labels_of(BIG_HEART) == {FindingLabel("enlarged cardiac silhouette", None)}


def test_what_is_absent_is_no_label() -> None:
    assert labels_of(HEALTHY) == set()


@pytest.mark.parametrize(
    ("triple", "location", "expected"),
    [
        (Triple("left lung", "nodule", True), "side", {("nodule", None), ("nodule", "left")}),
        (Triple("left mid lung zone", "nodule", True), "none", {("nodule", None)}),  # the words name no place
        (Triple("left lung", "nodule", False), "side", set()),
        (Triple("left lung", "normal", True), "side", set()),
    ],
)
def test_a_sentence_affirms_what_its_words_say(triple: Triple, location: str, expected: set[object]) -> None:
    assert labels_affirmed(Sentence("s", "", (), (triple,), strata={"location": location})) == expected


def test_all_labels_come_in_a_fixed_order() -> None:
    expected = ("enlarged cardiac silhouette", None), ("nodule", None), ("nodule", "left")
    assert find_labels([LEFT_NODULE, HEALTHY, BIG_HEART]) == expected == find_labels([BIG_HEART, LEFT_NODULE])


def make_objective(
    precision: str = "fp32", shared_head: bool = True, studies: Sequence[Study] = (LEFT_NODULE, BIG_HEART)
) -> FindingsObjective:
    torch.manual_seed(0)
    tokenize = SentenceTokenizer(TOKENIZER, CleaningConfig(drop_single_words=False), 97)
    recipe = FindingsRecipe.model_validate(
        {
            "kind": "findings",
            "name": "tiny",
            "purpose": "A test.",
            "network": TINY,
            "shared_head": shared_head,
            "optimiser": {"precision": precision},
        }
    )
    return FindingsObjective(AlignmentNetwork(TINY), tokenize, find_labels(studies), recipe)


def test_data_that_state_no_finding_are_told_so_with_what_to_do() -> None:
    normal = study(("left lung", "normal", True), ("left lung", "abnormal", True))
    with pytest.raises(ConfigError, match=r"data\.dataset: .* no finding .*: add .* or .*start_from"):
        make_objective(studies=[HEALTHY, normal])


@pytest.fixture
def objective() -> FindingsObjective:
    return make_objective()


NODULE_SAID = Sentence("a", "Left nodule.", (), (Triple("left lung", "nodule", True),), strata={"location": "side"})
NO_NODULE_SAID = Sentence("b", "No nodule.", (), (Triple("left lung", "nodule", False),), strata={"location": "none"})


def batch(*studies: Study) -> Batch:
    frames = torch.rand(len(studies), 32, 32, generator=torch.Generator().manual_seed(1))
    sentences = [NODULE_SAID if study is LEFT_NODULE else NO_NODULE_SAID for study in studies]
    return Batch(
        frames,
        list(studies),
        sentences,
        torch.zeros(len(studies), len(studies), dtype=torch.bool),
        np.zeros((len(frames), 2), np.int64),
    )


def test_the_loss_falls_when_its_parameters_follow_the_gradient(objective: FindingsObjective) -> None:
    data = batch(LEFT_NODULE, BIG_HEART, HEALTHY)
    optimiser = torch.optim.Adam(objective.parameter_groups()[0]["params"], lr=0.01)
    losses = []
    for _ in range(30):
        loss = objective.loss(data)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_both_encoders_learn_and_the_opt_out_vector_does_not(objective: FindingsObjective) -> None:
    network = objective._network
    objective.loss(batch(LEFT_NODULE, BIG_HEART)).backward()  # type: ignore[no-untyped-call]
    assert network.image.local_embedder.weight.grad is not None
    assert network.text.bert.embeddings.word_embeddings.weight.grad is not None
    learned = [id(p) for group in objective.parameter_groups() for p in group["params"]]
    assert len(set(learned)) == len(learned)
    assert {id(p) for name, p in network.named_parameters() if name != "opt_out"} <= set(learned)


@torch.no_grad()
@pytest.mark.parametrize("shared", [True, False])
def test_what_regions_are_told_apart_by_tells_words_apart_only_if_the_head_is_shared(shared: bool) -> None:
    objective = make_objective(shared_head=shared)
    texts = encode_grouped(objective._network.text, [objective._tokenize("Left nodule.")])
    before = objective._scores_of_words(texts)
    objective._local_head.weight.zero_()
    assert torch.equal(objective._scores_of_words(texts), before) != shared
    assert len(objective.parameter_groups()[0]["params"]) == len(set(objective.parameter_groups()[0]["params"]))


def test_bfloat16_moves_the_loss_a_little_only() -> None:
    data = batch(LEFT_NODULE, BIG_HEART, HEALTHY)
    exact, rounded = (make_objective(precision).loss(data).item() for precision in ("fp32", "bf16"))
    assert exact != rounded
    assert rounded == pytest.approx(exact, rel=0.02)


def test_nothing_is_watched_beside_the_loss(objective: FindingsObjective, tmp_path: Path) -> None:
    assert objective.watch(tmp_path) == dict.fromkeys(objective.columns)
