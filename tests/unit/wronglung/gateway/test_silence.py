"""When a model counts as hanging: it has work, and nothing comes back."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.gateway_fakes import MODELS
from wronglung.gateway.health import Health, Rhythm, Sign
from wronglung.gateway.metrics import Metrics
from wronglung.served import Catalogue, ServedModel

QUICK = Rhythm(idle_s=0.2, failing_s=0.01, timeout_s=1)


class Model:
    """Canaries of one model, as a test wants them, and a count."""

    def __init__(self) -> None:
        self.sent = 0
        self.answers = True
        self.held: asyncio.Event | None = None
        """No canary is answered before."""

    async def canary(self, model: ServedModel, timeout_s: float) -> bool:
        self.sent += 1
        if self.held is not None:
            await self.held.wait()
        return self.answers


@pytest.fixture
async def model() -> Model:
    return Model()


@pytest.fixture
async def health(model: Model) -> AsyncIterator[Health]:
    health = Health(Catalogue(MODELS[:1]), model.canary, Metrics(), lambda _: None, QUICK)
    await health.start()
    yield health
    await health.drain()


async def test_an_idle_model_gets_a_canary_now_and_then(health: Health, model: Model) -> None:
    await asyncio.sleep(0.7)
    assert 2 <= model.sent <= 4


async def test_real_successes_make_canaries_needless(health: Health, model: Model) -> None:
    await asyncio.sleep(0.05)
    for _ in range(10):
        health.began(MODELS[0], patience_s=10)
        await asyncio.sleep(0.05)
        health.ended(MODELS[0], answered=True, sign=Sign.WELL)
    assert model.sent == 1


async def test_a_model_that_is_busy_for_long_stays_ready_and_gets_no_canary(health: Health, model: Model) -> None:
    await asyncio.sleep(0.05)
    model.answers = False
    health.began(MODELS[0], patience_s=10)
    await asyncio.sleep(0.5)
    assert health.is_ready(MODELS[0])
    assert model.sent == 1


async def test_a_model_hangs_when_nothing_comes_back_for_its_patience(health: Health) -> None:
    await asyncio.sleep(0.4)  # it was idle for longer than that: idle is not silent
    health.began(MODELS[0], patience_s=0.3)
    await asyncio.sleep(0.1)
    assert health.is_ready(MODELS[0])
    health.began(MODELS[0], patience_s=0.3)  # more work is no sign of life
    await asyncio.sleep(0.3)
    assert health.failing == ["encoder"]
    health.ended(MODELS[0], answered=False, sign=Sign.DOWN)
    health.ended(MODELS[0], answered=False, sign=Sign.DOWN)
    await asyncio.sleep(0.1)
    assert health.failing == []  # a canary was answered


async def test_what_ends_without_the_model_is_no_sign_of_life(health: Health) -> None:
    """Deadlines that passed before the work was begun, and refusals."""
    await asyncio.sleep(0.05)
    health.began(MODELS[0], patience_s=0.3)
    for _ in range(8):
        health.began(MODELS[0], patience_s=0.3)
        await asyncio.sleep(0.05)
        health.ended(MODELS[0], answered=False, sign=Sign.NOTHING)
    assert health.failing == ["encoder"]


async def test_a_full_queue_that_moves_never_looks_hung_and_a_light_request_may_wait_for_a_heavy_one(
    health: Health,
) -> None:
    """Every request takes several times the patience, which counts for one answer; even an error is one."""
    await asyncio.sleep(0.05)
    for _ in range(8):
        health.began(MODELS[0], patience_s=0.4)
    for sign in (Sign.WELL, Sign.NOTHING) * 4:
        await asyncio.sleep(0.15)
        assert health.is_ready(MODELS[0])
        health.ended(MODELS[0], answered=True, sign=sign)
    health.began(MODELS[0], patience_s=0.1)
    health.began(MODELS[0], patience_s=5)  # with a heavy one in the load there is time for both
    await asyncio.sleep(0.3)
    assert health.is_ready(MODELS[0])


async def test_a_model_that_answers_after_all_is_ready_again(health: Health) -> None:
    await asyncio.sleep(0.05)
    health.began(MODELS[0], patience_s=0.05)
    health.began(MODELS[0], patience_s=0.05)
    await asyncio.sleep(0.2)
    assert health.failing == ["encoder"]
    health.ended(MODELS[0], answered=True, sign=Sign.WELL)
    assert health.is_ready(MODELS[0])


async def test_a_canary_that_fails_beside_real_work_says_nothing(health: Health, model: Model) -> None:
    await asyncio.sleep(0.05)
    model.held, model.answers = asyncio.Event(), False
    while model.sent < 2:
        await asyncio.sleep(0.01)
    health.began(MODELS[0], patience_s=10)
    model.held.set()
    await asyncio.sleep(0.1)
    assert health.is_ready(MODELS[0])
    health.ended(MODELS[0], answered=False, sign=Sign.NOTHING)
    await asyncio.sleep(0.1)
    assert health.failing == ["encoder"]  # the next one failed without any
