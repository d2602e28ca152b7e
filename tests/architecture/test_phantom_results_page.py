"""docs/phantom-results.md is of the models that are shipped, and the README quotes it word for word."""

import json
from pathlib import Path

from tests import repository

PAGE = repository.read(Path("docs/phantom-results.md"))
MODELS = sorted(path.parent.name for path in (repository.ROOT / "model_store").glob("*/config.json"))
SENTENCES, PATIENTS = 2400, 300
"""At least as many as the tables are meant to rest on."""


def test_the_weights_are_the_shipped_ones() -> None:
    for model in MODELS:
        digest = json.loads(repository.read(Path(f"model_store/{model}/config.json")))["weights_sha256"]
        assert f"- Weights of {model}: `{digest}`" in PAGE.splitlines()


def test_it_rests_on_enough_patients() -> None:
    facts = PAGE.splitlines()[2].replace("\N{NARROW NO-BREAK SPACE}", "").split(" · ")
    counts = {fact.split()[1]: int(fact.split()[0]) for fact in facts[1:]}
    assert counts["patients"] >= PATIENTS
    assert counts["sentences"] >= SENTENCES


def test_the_readme_quotes_its_first_table() -> None:
    quoted = repository.read(Path("README.md")).split("<!-- phantom-results -->\n")[1].split("<!-- /phantom")[0]
    assert quoted.count("\n") > 2
    assert quoted in PAGE
