"""The typed gRPC front of a served instance: limits, admission, deadlines, health, reflection, metrics.

It talks to TorchServe on loopback (`upstream`), runs no model code and imports no torch. Read in this order: `service`
(the three methods), `pipeline` (what happens to one request), `stream`, `admission`, `upstream`, `health`, `server`.
"""
