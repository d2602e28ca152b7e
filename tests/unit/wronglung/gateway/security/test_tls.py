"""A gateway with real certificates: who reaches it, and what happens when the files change."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import grpc
import grpc.aio
import pytest
import trustme

from tests.authority import LONG_AGO, Authority
from tests.gateway_fakes import FakeTorchServe, RunningGateway, request, running_gateway
from wronglung.client.transport import open_aio_channel
from wronglung.v1 import alignment_pb2 as pb
from wronglung.v1.alignment_pb2_grpc import AlignmentServiceStub


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ours")


@pytest.fixture
def stranger(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "strangers")


async def ask(front: RunningGateway, credentials: grpc.ChannelCredentials | None, host: str = "127.0.0.1") -> None:
    """One call over a connection of its own."""
    target = f"{host}:{front.target.rpartition(':')[2]}"
    async with open_aio_channel(target, credentials) as channel:
        await AlignmentServiceStub(channel).Align(request(), timeout=10)


async def refused(front: RunningGateway, credentials: grpc.ChannelCredentials | None, host: str = "127.0.0.1") -> str:
    """Why no connection comes about."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await ask(front, credentials, host)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    return caught.value.details() or ""


async def test_only_clients_that_trust_its_authority_and_speak_tls_reach_it(
    tmp_path: Path, authority: Authority, stranger: Authority
) -> None:
    async with running_gateway(tmp_path, FakeTorchServe(), security=authority.server()) as front:
        await ask(front, authority.credentials())
        assert "CERTIFICATE_VERIFY_FAILED" in await refused(front, stranger.credentials())
        await refused(front, None)
        assert len(front.torchserve.jobs) == 1


async def test_a_server_of_another_name_is_not_believed(tmp_path: Path, authority: Authority) -> None:
    async with running_gateway(tmp_path, FakeTorchServe(), security=authority.server("other.example")) as front:
        assert "Hostname" in await refused(front, authority.credentials())


async def test_a_server_does_not_start_with_an_expired_certificate(tmp_path: Path, authority: Authority) -> None:
    with pytest.raises(ValueError, match="the certificate expired"):
        async with running_gateway(
            tmp_path, FakeTorchServe(), security=authority.server("localhost", not_after=LONG_AGO)
        ):
            pass


async def test_with_mutual_tls_only_clients_of_the_authority_are_let_in(
    tmp_path: Path, authority: Authority, stranger: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    security = authority.server(mutual=True)
    foreign = stranger.client("eve")
    async with running_gateway(tmp_path, FakeTorchServe(), security=security) as front:
        await ask(front, authority.credentials(authority.client("reader")))
        await refused(front, authority.credentials())
        await refused(front, authority.credentials(foreign))
        assert len(front.torchserve.jobs) == 1
    assert [vars(record)["caller"] for record in caplog.records if record.message == "call"] == ["reader.example"]


async def test_an_expired_client_certificate_is_refused(tmp_path: Path, authority: Authority) -> None:
    chain, key = authority.issue("reader.example", not_after=LONG_AGO)
    expired = grpc.ssl_channel_credentials(authority.root.read_bytes(), key, chain)
    async with running_gateway(tmp_path, FakeTorchServe(), security=authority.server(mutual=True)) as front:
        await refused(front, expired)


async def test_new_connections_meet_new_certificates_and_open_streams_go_on(
    tmp_path: Path, authority: Authority, stranger: Authority
) -> None:
    """The server changes to another authority's certificate while a stream is open."""
    security = authority.server()
    async with running_gateway(
        tmp_path, FakeTorchServe(), security=security, credentials=authority.credentials()
    ) as front:
        step = asyncio.Event()

        async def requests() -> AsyncIterator[pb.AlignRequest]:
            yield request("before")
            await step.wait()
            yield request("after")

        stream = front.stub.AlignStream(requests())
        assert (await stream.read()).request_id == "before"
        assert expiry(front) == pytest.approx(32503680000)
        replace_files(security.tls_cert, security.tls_key, stranger.issue("127.0.0.1"))
        front.gateway.access.refresh()
        await ask(front, stranger.credentials())
        await refused(front, authority.credentials())
        step.set()
        assert (await stream.read()).request_id == "after"
        assert await stream.read() is grpc.aio.EOF


async def test_clients_of_a_new_authority_are_let_in_once_it_is_in_the_file(
    tmp_path: Path, authority: Authority, stranger: Authority
) -> None:
    security = authority.server(mutual=True)
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(authority.root.read_bytes())
    certificate, key = (path.read_bytes() for path in stranger.client("new"))
    newcomer = grpc.ssl_channel_credentials(authority.root.read_bytes(), key, certificate)
    async with running_gateway(tmp_path, FakeTorchServe(), security=replace(security, client_ca=bundle)) as front:
        await refused(front, newcomer)
        bundle.write_bytes(authority.root.read_bytes() + stranger.root.read_bytes())
        front.gateway.access.refresh()
        await ask(front, newcomer)
        bundle.write_bytes(stranger.root.read_bytes())
        front.gateway.access.refresh()
        await ask(front, newcomer)
        await refused(front, authority.credentials(authority.client("old")))


async def test_files_are_watched_and_a_half_written_pair_leaves_the_old_one_in_force(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wronglung.gateway.security.reloading._POLL_S", 0.02)
    security = authority.server()
    new = Authority(tmp_path / "new", trustme.CA())
    chain, key = new.issue("127.0.0.1")
    async with running_gateway(tmp_path, FakeTorchServe(), security=security) as front:
        assert security.tls_cert is not None
        assert security.tls_key is not None
        security.tls_cert.write_bytes(chain)
        await until(front, "wronglung_reload_failing", 1.0)
        await ask(front, authority.credentials())
        security.tls_key.write_bytes(key)
        await until(front, "wronglung_reload_failing", 0.0)
        await ask(front, new.credentials())


def replace_files(certificate: Path | None, key: Path | None, pair: tuple[bytes, bytes]) -> None:
    assert certificate is not None
    assert key is not None
    certificate.write_bytes(pair[0])
    key.write_bytes(pair[1])


def expiry(front: RunningGateway) -> float | None:
    registry = front.gateway.metrics.registry
    return registry.get_sample_value("wronglung_certificate_expiry_timestamp_seconds", {"subject": "server"})


async def until(front: RunningGateway, name: str, value: float) -> None:
    """Wait for a metric of the certificates."""
    async with asyncio.timeout(10):
        while front.gateway.metrics.registry.get_sample_value(name, {"subject": "certificates"}) != value:
            await asyncio.sleep(0.01)
