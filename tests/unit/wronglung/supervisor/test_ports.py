"""Free ports, and a clear word when one is taken."""

import socket

import pytest

from wronglung.supervisor.ports import PortTaken, free_ports, require_all_free, require_free


def test_a_taken_port_is_named_with_the_flag_that_chooses_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"port {port} on 127.0.0.1 is taken: choose another with --port"):
            require_free("127.0.0.1", port, "--port")
    require_free("127.0.0.1", port, "--port")


def test_any_free_port_is_free() -> None:
    require_free("127.0.0.1", 0, "--port")


def test_an_address_of_another_machine_is_no_taken_port() -> None:
    with pytest.raises(OSError) as caught:
        require_free("192.0.2.1", 0, "--port")
    assert not isinstance(caught.value, PortTaken)
    assert "--port 0 of --host 192.0.2.1" in str(caught.value)


def test_a_host_that_is_none_is_named_with_its_flag() -> None:
    with pytest.raises(OSError, match=r"--metrics-host nowhere\.invalid.*address of this machine"):
        require_free("nowhere.invalid", 0, "--metrics-port")


def test_two_flags_cannot_have_one_port() -> None:
    (port,) = free_ports(1)
    places = {"--port": ("127.0.0.1", port), "--probe-port": ("127.0.0.1", port)}
    with pytest.raises(PortTaken, match="--probe-port"):
        require_all_free(places)


def test_free_ports_are_different_and_can_be_listened_on() -> None:
    ports = free_ports(3)
    assert len(set(ports)) == 3
    for port in ports:
        socket.create_server(("127.0.0.1", port)).close()
