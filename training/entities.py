"""Clinical entities in a cleaned sentence: by a vocabulary of our own, or by any spaCy package that is installed.

Either way a spaCy pipeline finds them (docs/decisions/0096-clinical-entities-by-spacy.md). Nothing is downloaded.
"""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from pathlib import Path

import spacy
from pydantic import Field
from spacy.language import Language
from spacy.pipeline import EntityRuler

from training.recipe_files import read_document
from training.sentence_config import PackageConfig, RecogniserConfig
from wronglung.model.errors import ModelFilesError
from wronglung.model.strict import StrictModel, parse_config

VOCABULARY = Path(__file__).parent / "clinical_entities.yaml"
_KEPT = 1 << 17
Spans = tuple[tuple[int, int], ...]
"""First word of each entity, and one past its last; in order, without overlap."""


class KindOfEntity(StrictModel):
    """Names, and which words belong to an entity when they stand in front of a name."""

    before: str
    """Words with spaces between them."""
    names: tuple[str, ...] = Field(min_length=1)
    """In the singular; of one word or several."""


class EntityVocabulary(StrictModel):
    """The file of a vocabulary; in small letters, without punctuation, as cleaned sentences read."""

    finding: KindOfEntity
    anatomy: KindOfEntity
    device: KindOfEntity
    plurals: dict[str, str] = Field(default_factory=dict)
    """Of names, where the rule is not enough."""


class Recogniser:
    """Finds entities in the words of a sentence; each distinct sentence is looked at once.

    Args:
        pipeline: a spaCy pipeline that sets `Doc.ents`.
    """

    def __init__(self, pipeline: Language) -> None:
        self._pipeline = pipeline
        self._kept = lru_cache(_KEPT)(self._find)

    def __call__(self, words: Sequence[str]) -> Spans:
        """The entities of cleaned words."""
        return self._kept(tuple(words))

    def _find(self, words: tuple[str, ...]) -> Spans:
        ends = list(accumulate((len(word) + 1 for word in words), initial=-1))[1:]
        spans: list[tuple[int, int]] = []
        for entity in self._pipeline(" ".join(words)).ents:
            # spaCy may cut a word in two: an entity has every word that it touches, unless another one has it.
            first = max(bisect_right(ends, entity.start_char), spans[-1][1] if spans else 0)
            last = bisect_left(ends, entity.end_char) + 1
            if first < last:
                spans.append((first, last))
        return tuple(spans)


def make_recogniser(config: RecogniserConfig) -> Recogniser:
    """What `sentences.masking.recogniser` asks for.

    Raises:
        ModelFilesError: the package is not installed or finds no entities, or the vocabulary cannot be read.
    """
    if isinstance(config, PackageConfig):
        return Recogniser(_package_pipeline(config.package))
    return Recogniser(_vocabulary_pipeline(read_vocabulary(VOCABULARY if config.file is None else Path(config.file))))


def read_vocabulary(path: Path) -> EntityVocabulary:
    """Read a vocabulary file.

    Raises:
        ModelFilesError: unreadable, or a key is unknown, missing or of the wrong type.
    """
    return parse_config(EntityVocabulary, json.dumps(read_document(path)), str(path))


def _package_pipeline(package: str) -> Language:
    if not spacy.util.is_package(package):
        raise ModelFilesError(f"the spaCy package {package} is not installed: pip install it, or use kind: vocabulary")
    pipeline = spacy.load(package)
    if not pipeline.has_pipe("ner") and not pipeline.has_pipe("entity_ruler"):
        raise ModelFilesError(f"the spaCy package {package} finds no entities: it has {pipeline.pipe_names}")
    return pipeline


def _vocabulary_pipeline(vocabulary: EntityVocabulary) -> Language:
    """A blank English pipeline with patterns alone. Of two matches the longer one counts, of equal ones the first."""
    pipeline = spacy.blank("en")
    ruler = pipeline.add_pipe("entity_ruler")
    assert isinstance(ruler, EntityRuler)
    for label in ("finding", "anatomy", "device"):
        kind: KindOfEntity = getattr(vocabulary, label)
        before = {"LOWER": {"IN": kind.before.split()}, "OP": "*"}
        names = dict.fromkeys(form for name in kind.names for form in (name, _plural(name, vocabulary.plurals)))
        tokens = ([token.lower_ for token in pipeline.make_doc(name)] for name in names)
        ruler.add_patterns(
            [{"label": label, "pattern": [before, *({"LOWER": token} for token in name)]} for name in tokens]
        )
    return pipeline


def _plural(name: str, irregular: dict[str, str]) -> str:
    """Of its last word, by rule: opacity → opacities, mass → masses, fibrosis → fibroses, nodule → nodules."""
    if name in irregular:
        return irregular[name]
    front, space, last = name.rpartition(" ")
    if last in irregular:
        return f"{front}{space}{irregular[last]}"
    if last.endswith("sis"):
        plural = f"{last[:-2]}es"
    elif last.endswith(("s", "x", "ch", "sh")):
        plural = f"{last}es"
    elif last.endswith("y") and last[-2:-1] not in "aeiou":
        plural = f"{last[:-1]}ies"
    else:
        plural = f"{last}s"
    return f"{front}{space}{plural}"
