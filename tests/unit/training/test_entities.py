"""Clinical entities: the phantom's wording and ordinary report English, by whole entities."""

from pathlib import Path

import pytest
import spacy
import yaml

from harness.dataset.phantom import PhantomDataset
from training.entities import VOCABULARY, Recogniser, make_recogniser, read_vocabulary
from training.sentence_config import PackageConfig, VocabularyConfig
from wronglung.model.config import CleaningConfig
from wronglung.model.errors import ModelFilesError
from wronglung.model.text import clean

CLEANING = CleaningConfig(drop_single_words=False)


@pytest.fixture(scope="module")
def recognise() -> Recogniser:
    return make_recogniser(VocabularyConfig())


def named(recognise: Recogniser, text: str) -> list[str]:
    words = clean(text, CLEANING).split()
    return [" ".join(words[first:last]) for first, last in recognise(words)]


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        ("There is a left pleural effusion.", ["pleural effusion"]),
        ("Bibasilar opacities, likely atelectasis.", ["bibasilar opacities", "atelectasis"]),
        ("Small bilateral pneumothoraces are unchanged.", ["pneumothoraces"]),
        ("Right upper lobe consolidation is worse.", ["right upper lobe", "consolidation"]),
        ("RLL pneumonia with small parapneumonic effusion", ["rll", "pneumonia", "parapneumonic effusion"]),
        ("Endotracheal tube ends 4 cm above the carina.", ["endotracheal tube", "carina"]),
        ("A dual-lead pacemaker with leads in the right atrium.", ["dual lead", "pacemaker", "leads", "right atrium"]),
        ("Enlargement of the cardiac silhouette", ["enlargement of the cardiac silhouette"]),
        ("Old healed rib fractures.", ["rib fractures"]),
        ("Ground-glass opacities in both lower lung zones", ["ground glass opacities", "both lower lung zones"]),
        ("Both hila are prominent.", ["both hila"]),
        ("Calcified granulomata are seen at the left apex", ["calcified", "left apex"]),
        ("Cardiomegaly.", ["cardiomegaly"]),
        ("Lines and tubes as before.", ["lines", "tubes"]),
        ("Comparison is made with the study of Tuesday.", []),
        ("The patient is upright and well.", []),
        ("", []),
    ],
)
def test_entities_of_report_english(recognise: Recogniser, text: str, entities: list[str]) -> None:
    assert named(recognise, text) == entities


def test_of_overlapping_entities_the_longer_one_counts_and_of_equal_ones_the_first(recognise: Recogniser) -> None:
    assert named(recognise, "pulmonary vascular congestion") == ["pulmonary vascular congestion"]
    assert named(recognise, "left lung nodule") == ["left lung", "nodule"]


def test_every_phantom_sentence_names_an_entity(recognise: Recogniser) -> None:
    texts = {sentence.text for record in PhantomDataset(0, "train", 40) for sentence in record.sentences}
    assert len(texts) > 100
    assert [text for text in texts if not named(recognise, text)] == []


def test_entities_do_not_overlap_and_lie_within_the_sentence(recognise: Recogniser) -> None:
    for record in PhantomDataset(1, "train", 10):
        for sentence in record.sentences:
            words = clean(sentence.text, CLEANING).split()
            edges = [edge for span in recognise(words) for edge in span]
            assert edges == sorted(edges)
            assert all(0 <= first < last <= len(words) for first, last in recognise(words))


def test_an_entity_has_every_word_that_it_touches() -> None:
    pipeline = spacy.blank("en")
    pipeline.add_pipe("entity_ruler").add_patterns(  # type: ignore[attr-defined]
        [{"label": "x", "pattern": [{"LOWER": "can"}]}, {"label": "x", "pattern": [{"LOWER": "not"}]}]
    )
    assert Recogniser(pipeline)(["it", "cannot", "be"]) == ((1, 2),)  # spaCy reads "can" and "not"


def test_a_sentence_is_looked_at_once() -> None:
    pipeline = spacy.blank("en")
    looked = []

    @spacy.Language.component("counter")
    def count(doc: spacy.tokens.Doc) -> spacy.tokens.Doc:
        looked.append(doc.text)
        return doc

    pipeline.add_pipe("counter")
    recognise = Recogniser(pipeline)
    for _ in range(3):
        recognise(["a", "nodule"])
    recognise(["a", "mass"])
    assert looked == ["a nodule", "a mass"]


def test_a_package_that_is_not_installed_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(ModelFilesError, match="en_absent is not installed: pip install it"):
        make_recogniser(PackageConfig(kind="spacy", package="en_absent"))


def test_a_package_without_a_recogniser_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spacy.util, "is_package", lambda name: True)
    monkeypatch.setattr(spacy, "load", lambda name: spacy.blank("en"))
    with pytest.raises(ModelFilesError, match="finds no entities"):
        make_recogniser(PackageConfig(kind="spacy", package="en_plain"))


def test_another_vocabulary_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    nothing = {"before": "", "names": ["zzz"]}
    finding = {"before": "odd", "names": ["thing"]}
    path.write_text(yaml.safe_dump({"finding": finding, "anatomy": nothing, "device": nothing}))
    recognise = make_recogniser(VocabularyConfig(file=str(path)))
    assert named(recognise, "Two odd things and a nodule") == ["odd things"]
    path.write_text(yaml.safe_dump({"finding": finding}))
    with pytest.raises(ModelFilesError, match="anatomy"):
        make_recogniser(VocabularyConfig(file=str(path)))


def test_the_vocabulary_is_written_as_cleaned_sentences_read() -> None:
    vocabulary = read_vocabulary(VOCABULARY)
    for kind in (vocabulary.finding, vocabulary.anatomy, vocabulary.device):
        for text in (kind.before, *kind.names):
            assert clean(text, CLEANING) == text
        assert len(set(kind.names)) == len(kind.names)
        assert len(set(kind.before.split())) == len(kind.before.split())
