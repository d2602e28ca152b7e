"""wronglung: attention maps for radiology sentences, served and checked.

Importing this package costs nothing: no torch, no grpc, no image library is loaded.
"""

__version__ = "0.1.0"
