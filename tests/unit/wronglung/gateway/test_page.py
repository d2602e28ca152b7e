"""The page of metrics: it answers whatever becomes of TorchServe, and no caller holds up another."""

import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from wronglung.gateway import page
from wronglung.gateway.metrics import Metrics
from wronglung.gateway.page import MetricsPage

OK = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n"


@contextmanager
def serving(torchserve_url: str = "") -> Iterator[MetricsPage]:
    metrics = Metrics()
    metrics.ready.labels("encoder").set(1)
    served = MetricsPage(metrics, "127.0.0.1", 0, torchserve_url)
    try:
        yield served
    finally:
        served.close()


@contextmanager
def torchserve_says(raw: bytes) -> Iterator[str]:
    """Something that answers one scrape by these bytes and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(raw)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/metrics"


def scrape(served: MetricsPage) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{served.port}/metrics", timeout=5) as answer:
        return str(answer.read().decode())


def test_shows_the_gateways_metrics_and_then_torchserves() -> None:
    with torchserve_says(OK + b"\r\nts_of_its_own 1\n") as url, serving(url) as served:
        shown = scrape(served)
    assert shown.index('wronglung_model_ready{model="encoder"} 1') < shown.index("ts_of_its_own 1")


@pytest.mark.parametrize(
    "raw",
    [b"", b"nonsense\r\n\r\n", OK + b"Content-Length: 99\r\n\r\ncut", b"HTTP/1.0 500 Oops\r\n\r\n"],
    ids=["hangs up", "no HTTP", "cut off", "fails"],
)
def test_shows_its_own_when_torchserve_has_none_to_show(raw: bytes) -> None:
    with torchserve_says(raw) as url, serving(url) as served:
        assert "wronglung_model_ready" in scrape(served)


def test_torchserve_is_not_looked_for_behind_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    with torchserve_says(OK + b"\r\nts_of_its_own 1\n") as url, serving(url) as served:
        assert "ts_of_its_own" in served._torchserve().decode()


def test_a_caller_who_says_nothing_holds_up_neither_the_others_nor_the_end() -> None:
    served = MetricsPage(Metrics(), "127.0.0.1", 0)
    with socket.create_connection(("127.0.0.1", served.port)):
        time.sleep(0.1)  # let it be accepted first
        assert "wronglung_requests" in scrape(served)
        closing = threading.Thread(target=served.close, daemon=True)
        closing.start()
        closing.join(5)
        assert not closing.is_alive()


def test_a_caller_who_says_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page._Quiet, "timeout", 0.1)
    with serving() as served, socket.create_connection(("127.0.0.1", served.port)) as silent:
        silent.settimeout(5)
        assert silent.recv(1) == b""


def test_a_caller_who_says_a_byte_now_and_then_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "_LONGEST_S", 0.5)
    with serving() as served, socket.create_connection(("127.0.0.1", served.port)) as slow:
        slow.settimeout(0.1)
        until = time.monotonic() + 10
        while not hung_up(slow):
            assert time.monotonic() < until, "it may go on for as long as it likes"


def hung_up(slow: socket.socket) -> bool:
    """Say one byte more; whether there is nobody any longer to say it to."""
    try:
        slow.sendall(b"G")
        return slow.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def test_silent_callers_have_few_threads_and_only_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "_LONGEST_S", 1.0)
    monkeypatch.setattr(page, "_MOST_CALLERS", 4)
    before = threading.active_count()
    with serving() as served:
        silent = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(20)]
        time.sleep(0.3)
        assert threading.active_count() <= before + 1 + 4, "one listens"
        time.sleep(1.2)
        assert "wronglung_model_ready" in scrape(served)
        for each in silent:
            each.close()


@pytest.mark.skipif(sys.platform != "linux", reason="all of 127.0.0.0/8 is this machine on Linux alone")
def test_silent_callers_of_one_address_leave_room_to_another() -> None:
    with serving() as served:
        silent = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(40)]
        other = socket.create_connection(("127.0.0.1", served.port), timeout=5, source_address=("127.0.0.2", 0))
        other.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
        assert other.recv(15) == b"HTTP/1.0 200 OK"
        for each in [*silent, other]:
            each.close()


def test_a_port_that_is_taken_is_named_with_its_flag() -> None:
    with serving() as served, pytest.raises(OSError, match=f"--metrics-port {served.port} of --metrics-host 127.0.0.1"):
        MetricsPage(Metrics(), "127.0.0.1", served.port)


def test_there_is_no_other_page() -> None:
    with serving() as served, pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"http://127.0.0.1:{served.port}/other", timeout=5)
