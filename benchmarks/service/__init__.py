"""A whole server under load: overload, soak, sizing. Each is a command: ``python -m benchmarks.service.NAME``.

The server runs on one set of cores, the generator of load on another, so that neither is the other's limit.
"""
