"""Addresses of TCP ports as text, and whether they are on this machine."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

_SCHEME = re.compile(r"(?:dns|ipv4|ipv6):(?:///)?")


def address(host: str, port: int) -> str:
    """Host and port as one, also for IPv6."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens on `host`. A name other than localhost counts as beyond it."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_on_this_machine(target: str) -> bool:
    """Whether a target of gRPC, such as ``ipv4:127.0.0.1:8500``, leads to this machine, with all of its addresses."""
    if target.startswith("unix:"):
        return True
    return all(is_loopback(_host(each)) for each in _SCHEME.sub("", target, count=1).split(","))


def _host(address: str) -> str:
    try:
        return urlsplit(f"//{address}").hostname or ""
    except ValueError:  # not an address: gRPC will say so
        return ""
