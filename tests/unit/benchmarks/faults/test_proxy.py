"""The proxy forwards what it is given, and cuts a connection in the middle of a message when it is told to."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from benchmarks.faults.proxy import CuttingProxy


@pytest.fixture
def proxy() -> Iterator[CuttingProxy]:
    """In front of a server that sends back what it gets."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=echo, args=(listener,), daemon=True).start()
        with closing(CuttingProxy(listener.getsockname()[1])) as proxy:
            yield proxy


def echo(listener: socket.socket) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            try:
                while data := connection.recv(65536):
                    connection.sendall(data)
            except ConnectionError:
                continue


def received(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count and (more := connection.recv(65536)):
        data += more
    return data


def all_of(connection: socket.socket) -> bytes:
    """What comes until the connection ends, be it by a reset."""
    data = b""
    try:
        while more := connection.recv(65536):
            data += more
    except ConnectionResetError:
        return data
    return data


def answered(proxy: CuttingProxy) -> bytes:
    """What a caller gets who says nothing; the reset that ends it may be there before it is connected."""
    try:
        connection = socket.create_connection(("127.0.0.1", proxy.port), timeout=5)
    except ConnectionResetError:
        return b""
    with connection:
        return all_of(connection)


def test_it_forwards_both_ways(proxy: CuttingProxy) -> None:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as connection:
        connection.sendall(b"x" * 100_000)
        assert len(received(connection, 100_000)) == 100_000


def test_it_cuts_a_long_message_and_no_short_one(proxy: CuttingProxy) -> None:
    cut: list[bool] = []
    cutting = threading.Thread(target=lambda: cut.append(proxy.cut(5)))
    cutting.start()
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as connection:
        connection.sendall(b"short")
        assert received(connection, 5) == b"short"
        connection.sendall(b"x" * 50_000)
        assert len(all_of(connection)) < 50_000
    cutting.join()
    assert cut == [True]


def test_it_says_when_there_was_nothing_to_cut(proxy: CuttingProxy) -> None:
    assert not proxy.cut(0.05)


def test_behind_it_nobody_answers_when_nobody_does() -> None:
    with socket.socket() as deaf:  # holds the port, which another test might get, and listens to nobody
        deaf.bind(("127.0.0.1", 0))
        port = deaf.getsockname()[1]
        with closing(CuttingProxy(port)) as proxy:
            assert answered(proxy) == b""
