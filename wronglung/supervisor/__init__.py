"""The tiny parent of a served instance: keeps TorchServe and the gateway alive as siblings and stops them in order.

Standard library only, so that it starts at once and has nothing that can fail by itself.
"""
