"""Addresses of TCP ports as text."""


def address(host: str, port: int) -> str:
    """Host and port as one, also for IPv6."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
