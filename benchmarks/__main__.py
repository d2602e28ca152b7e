"""Run the benchmarks: ``python -m benchmarks [NAME …]``, all of them by default."""

import argparse
import importlib
import pkgutil
from collections.abc import Callable

import benchmarks


def _mains() -> dict[str, Callable[[], None]]:
    """The benchmarks by module name."""
    names = [module.name for module in pkgutil.iter_modules(benchmarks.__path__) if not module.name.startswith("_")]
    modules = {name: importlib.import_module(f"benchmarks.{name}") for name in names}
    return {name: module.main for name, module in modules.items() if hasattr(module, "main")}


def main() -> None:
    """Run what is named on the command line."""
    mains = _mains()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=benchmarks.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(mains)}; all by default")
    names = parser.parse_args().names or list(mains)
    if unknown := set(names) - set(mains):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there is {', '.join(mains)}")
    for name in names:
        print(f"== {name}")
        mains[name]()


if __name__ == "__main__":
    main()
