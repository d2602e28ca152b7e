"""TorchServe as the gateway sees it."""

import time

import pytest

from tests.gateway_fakes import FakeTorchServe, request
from wronglung.envelope import RequestContext
from wronglung.gateway.pipeline import parse_answer
from wronglung.gateway.upstream import TorchServeClient


async def test_torchserve_is_not_looked_for_behind_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    async with FakeTorchServe().listening() as target:
        client = TorchServeClient(target)
        context = RequestContext("a", time.monotonic() + 5)
        answer = await client.predict("encoder", "1.0", request("a").SerializeToString(), context, 5)
        await client.close()
    assert parse_answer(answer, "a").HasField("response")
