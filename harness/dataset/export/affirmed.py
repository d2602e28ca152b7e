"""The sentences of a phantom that the public data sets of findings can carry: those that state something abnormal."""

from collections.abc import Iterator

from harness.case import ImageRecord, Sentence


def finding_of(sentence: Sentence) -> str | None:
    """The label of the finding that a sentence says is there; None if it states nothing abnormal."""
    if not sentence.abnormal:
        return None
    return next(t.label for t in sentence.triples if t.context and t.label != "abnormal")


def affirmed(record: ImageRecord) -> Iterator[tuple[str, Sentence]]:
    """The sentences of a report that state a finding, each with its label."""
    for sentence in record.sentences:
        label = finding_of(sentence)
        if label is not None:
            yield label, sentence
