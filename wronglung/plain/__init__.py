"""The plain backend: speaks as much of TorchServe's gRPC API as the gateway asks for, in Python alone.

It runs the same handler, from the same file, in one process for each worker; no Java, no archives, no batches. It is
the way out of TorchServe: `wronglung serve --backend plain`. It imports neither torch nor TorchServe; its workers load
what the handler needs.
"""
