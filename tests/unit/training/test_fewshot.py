"""Few-shot finetuning: the share of the map inside the boxes, and nothing else."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from harness.case import Box, Sentence
from tests.tiny_networks import CONFIGS, TOKENIZE
from training.config import AugmentConfig, FewShotRecipe
from training.fewshot import FewShotObjective
from training.shots import Shot, ShotSource
from training.studies import Study, StudySet
from wronglung.model.config import PreprocessConfig
from wronglung.model.registry import build_network

PREPROCESS = PreprocessConfig(longer_side=40, crop=32)
BOXES = [Box("left lung", 8, 8, 20, 20), Box("right lung", 20, 4, 36, 36)]
SENTENCES = [
    Sentence("a", "Nodule in the left lung.", (BOXES[0],)),
    Sentence("b", "The right lung is large.", (BOXES[1],)),
]
STUDIES = tuple(Study(f"p{i}", (sentence,), frozenset(), (4, 0, 36, 40)) for i, sentence in enumerate(SENTENCES))
SQUARES = np.random.default_rng(0).integers(0, 255, (2, 40, 40)).astype(np.uint8)


def source(batch: int = 2) -> ShotSource:
    return ShotSource(StudySet(STUDIES, SQUARES), PREPROCESS, batch, [Shot(i, s) for i, s in enumerate(SENTENCES)])


def make_objective(architecture: str = "gloria") -> FewShotObjective:
    recipe = FewShotRecipe.model_validate(
        {"kind": "few_shot", "name": "tiny", "purpose": "A test.", "start_from": "anywhere"}
    ).model_copy(update={"network": CONFIGS[architecture], "preprocess": PREPROCESS})
    torch.manual_seed(0)
    return FewShotObjective(build_network(CONFIGS[architecture]), TOKENIZE, recipe, source(batch=1).validation)


@torch.no_grad()
@pytest.mark.parametrize("architecture", CONFIGS)
def test_the_loss_is_minus_the_log_of_the_share_of_the_renormalised_pixels_inside_the_cropped_boxes(
    architecture: str,
) -> None:
    objective = make_objective(architecture)
    batch = next(source().training(np.random.default_rng(1), AugmentConfig()))
    maps = objective._maps(batch).numpy().reshape(-1, 8, 8)
    shares = []
    for sentence, (top, left), map_RC in zip(batch.sentences, batch.corners_B2.tolist(), maps, strict=True):
        mask = np.zeros((40, 40))
        box = sentence.boxes[0]
        mask[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)] = 1
        pixels = np.kron(map_RC, np.ones((4, 4)))
        shares.append((pixels * mask[top : top + 32, left : left + 32]).sum() / pixels.sum())
    assert objective.loss(batch).item() == pytest.approx(-np.log(shares).mean(), rel=1e-5)


@pytest.mark.parametrize("architecture", CONFIGS)
def test_attention_moves_into_the_boxes(architecture: str) -> None:
    objective = make_objective(architecture)
    optimiser = torch.optim.Adam(objective.parameter_groups()[0]["params"], lr=0.01)
    rng, losses = np.random.default_rng(0), []
    for _ in range(60):
        loss = objective.loss(next(source().training(rng, AugmentConfig())))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(loss.item())
    assert np.mean(losses[-10:]) < np.mean(losses[:10]) - 0.1


def test_a_sentence_whose_boxes_are_cut_away_teaches_nothing() -> None:
    objective = make_objective()
    batch = next(source().validation())
    alone = batch._replace(
        frames_BHW=batch.frames_BHW[:1],
        studies=batch.studies[:1],
        sentences=batch.sentences[:1],
        corners_B2=batch.corners_B2[:1],
    )
    far = Sentence("c", "Heart.", (Box("heart", 0, 0, 2, 2),))
    objective._network.eval()  # a batch norm would see who else is there
    with_far = batch._replace(sentences=[batch.sentences[0], far])
    assert objective.loss(with_far).item() == pytest.approx(objective.loss(alone).item(), rel=1e-5)
    assert objective.counted(with_far) == 1  # so much does the batch weigh when it is looked at
    assert objective.counted(batch._replace(sentences=[far, far])) == 0
    nothing = objective.loss(batch._replace(sentences=[far, far]))
    nothing.backward()  # type: ignore[no-untyped-call]
    assert nothing.item() == 0


def test_the_log_shows_the_harness_metrics_of_the_held_out_sentences(tmp_path: Path) -> None:
    objective = make_objective()
    watched = objective.watch(tmp_path)
    assert watched.keys() == set(objective.columns)
    assert all(math.isfinite(value) for value in watched.values())
    with torch.no_grad():
        batch = next(source().validation())
        maps = objective._maps(batch).numpy().reshape(-1, 8, 8)
    inside = []
    for sentence, map_RC in zip(batch.sentences, maps, strict=True):
        pixels, mask = np.kron(map_RC, np.ones((4, 4))), np.zeros((40, 40))
        mask[
            int(sentence.boxes[0].y0) : int(sentence.boxes[0].y1), int(sentence.boxes[0].x0) : int(sentence.boxes[0].x1)
        ] = 1
        inside.append((pixels * mask[4:36, 4:36]).sum() / pixels.sum())
    assert watched["mass_in_box"] == pytest.approx(np.mean(inside), rel=1e-5)


def test_all_of_the_network_learns_once() -> None:
    objective = make_objective("gloria with opt-out")
    (group,) = objective.parameter_groups()
    assert {id(p) for p in group["params"]} == {id(p) for p in objective._network.parameters()}
