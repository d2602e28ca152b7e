"""One target under atheris, in a process of its own: ``python -m tests.fuzz.guided TARGET CPU_SECONDS SEED FOLDER``.

libFuzzer keeps in FOLDER/corpus what reaches new code, and writes what fails to FOLDER/findings. Half of the changes
are its own, half change the structure. Ends with status 0 when the CPU time is used up, else at the first finding.
"""

import json
import os
import random
import sys
from pathlib import Path

import atheris

_INSTRUMENTED = ["wronglung", "handlers", "pydicom", "PIL"]
_LONGEST_INPUT = 1 << 16
_WALL_S = 120
"""libFuzzer ends an input after so long by the wall clock: the last resort, where an input never comes back."""
_MOST_MIB = 4096
_REPORTED_EVERY = 200


def main(name: str, cpu_s: float, seed: int, folder: Path) -> None:
    """Fuzz one target."""
    with atheris.instrument_imports(include=_INSTRUMENTED):  # all of them: what was imported before is not guided
        from tests.fuzz.targets import TARGETS
        from tests.fuzz.watch import examine

        target = TARGETS[name]
        check = target.open()
    corpus, findings = folder / "corpus", folder / "findings"
    for each in (corpus, findings):
        each.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(target.seeds()):
        (corpus / f"seed-{number}").write_bytes(data)
    executions = 0

    def one(data: bytes) -> None:
        nonlocal executions
        executions += 1
        if executions % _REPORTED_EVERY == 0:  # a decoder that ends the process leaves no time for it
            _report(folder, executions)
        if _used_s() >= cpu_s:
            _report(folder, executions)
            os._exit(0)  # libFuzzer counts the wall clock only
        try:
            examine(check, data, target.allowance)
        except BaseException:
            _report(folder, executions)
            raise

    def change(data: bytes, longest: int, number: int) -> bytes:
        rng = random.Random(number)
        changed = target.mutate(data, rng) if rng.random() < 0.5 else atheris.Mutate(data, longest)
        return changed[:longest]

    options = [f"-max_len={_LONGEST_INPUT}", f"-seed={seed}", f"-timeout={_WALL_S}", f"-rss_limit_mb={_MOST_MIB}"]
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={findings}/", str(corpus)], one, custom_mutator=change)
    atheris.Fuzz()


def _used_s() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _report(folder: Path, executions: int) -> None:
    (folder / "run.json").write_text(json.dumps({"executions": executions, "cpu_s": _used_s()}))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
