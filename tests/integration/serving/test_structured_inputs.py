"""Inputs of the fuzzer at the real server: a few of them; `python -m tests.fuzz.served` sends thousands."""

import pytest

from tests.fuzz.served import bombard
from tests.serving import Instance

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore::UserWarning")]  # of pydicom


def test_odd_images_and_messages_cost_no_worker_and_change_no_good_answer(server: Instance) -> None:
    outcomes = bombard(server, requests=120, seed=1)
    assert outcomes["answered"] >= 40
    assert len(outcomes) >= 3
