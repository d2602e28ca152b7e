"""How an error names a file that the server was told of: by what to change, and where the file is."""

import os
from collections.abc import Mapping
from pathlib import Path


def variable_of(option: str) -> str:
    """The environment variable that may stand for an option, such as ``--tls-cert``."""
    return f"WRONGLUNG_{option.removeprefix('--').replace('-', '_').upper()}"


def named(option: str, path: Path, environ: Mapping[str, str] = os.environ) -> str:
    """The option and the path, and the variable where it says the same: the path came from there, or might as well."""
    variable = variable_of(option)
    said = environ.get(variable)
    return f"{option} {path}" + (f" (${variable})" if said and Path(said) == path else "")
