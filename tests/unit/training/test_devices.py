"""One process or several: what each draws, what they share, and where a batch is computed."""

from contextlib import nullcontext
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import nn

from harness.settings import ConfigError
from tests.launched import run_in_two_processes
from tests.unit.training import test_contrastive as contrastive
from tests.unit.training import test_findings as findings
from training.devices import ONE_CPU, DeviceName, Devices
from wronglung.model.network import AlignmentNetwork


@pytest.mark.parametrize("named", [["cpu"], []])
def test_two_processes_average_their_gradients_and_draw_batches_of_their_own(
    named: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # without a GPU two processes must find each other unasked
    ended = run_in_two_processes("tests/averaging_process.py", *named)
    assert ended.returncode == 0, ended.stderr


def test_processes_that_would_each_train_alone_into_the_same_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = Devices("cpu").device
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match=f"2 processes were started, but on {alone} they do not find each other"):
        Devices("cpu")


def test_a_single_process_is_what_it_always_was() -> None:
    devices = Devices("cpu")
    assert (devices.count, devices.index, str(devices)) == (1, 0, ONE_CPU)
    assert devices.random(3).random() == np.random.default_rng(3).random()
    torch.manual_seed(1)
    before = torch.get_rng_state()
    devices.reseed(1)
    assert torch.equal(torch.get_rng_state(), before)
    network, mine = nn.Linear(2, 1), torch.ones(2)
    loss = devices.together(network, list(network.parameters())).loss(lambda: network(mine).sum())
    assert loss == network(mine).sum()


def test_a_device_that_is_not_there_is_told_with_the_fix() -> None:
    missing: DeviceName = "cuda" if torch.backends.mps.is_available() else "mps"
    with pytest.raises(ConfigError, match=rf"--device {missing}: PyTorch finds none here; leave it out to train on"):
        Devices(missing)


def test_a_batch_is_placed_with_all_its_tensors() -> None:
    class Pair(NamedTuple):
        picture: torch.Tensor
        name: str

    devices = Devices("cpu")
    batch = Pair(torch.ones(2), "a")
    assert devices.place(batch) is batch
    devices.device = torch.device("meta")
    placed = devices.place(batch)
    assert (placed.picture.device.type, placed.name) == ("meta", "a")


@pytest.fixture
def no_autocast(monkeypatch: pytest.MonkeyPatch) -> None:
    """The device "meta", which has shapes and no numbers, knows no autocast."""
    monkeypatch.setattr(torch, "autocast", lambda *args, **kwargs: nullcontext())


@pytest.mark.usefixtures("no_autocast")
def test_the_contrastive_loss_makes_all_its_tensors_where_the_batch_lies() -> None:
    begun, pairs = contrastive.objective(opt_out=True), contrastive.batch()
    begun._network.to("meta")
    with pytest.raises((RuntimeError, NotImplementedError), match=r"device|meta"):
        begun.loss(pairs)  # a batch that lies elsewhere: "meta" notices
    placed = pairs._replace(
        frames_BHW=pairs.frames_BHW.to("meta"), studies=[], false_negatives_BB=pairs.false_negatives_BB.to("meta")
    )
    assert begun.loss(placed).device.type == "meta"


@pytest.mark.usefixtures("no_autocast")
def test_the_loss_of_the_findings_makes_all_its_tensors_where_the_batch_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "AlignmentNetwork", lambda config: AlignmentNetwork(config).to("meta"))
    pairs = findings.batch(findings.LEFT_NODULE, findings.BIG_HEART)
    placed = pairs._replace(frames_BHW=pairs.frames_BHW.to("meta"))
    assert findings.make_objective().loss(placed).device.type == "meta"
