"""What is wrong with a subset."""


class SubsetError(ValueError):
    """A subset, a stratum or an expression cannot be understood. The message says where and what to write instead."""
