"""The JSONL data set: bring your own images, sentences and boxes."""

from collections.abc import Set
from pathlib import Path

from harness.dataset.base import Findings
from harness.dataset.files import read_lines
from harness.dataset.line import parse_line
from harness.dataset.records import RecordBuilder, RecordedDataset


def open_jsonl(path: Path, *, inclusive_maxima: bool = False, seen_patients: Set[str] = frozenset()) -> RecordedDataset:
    """Read and check a JSONL file, packed by gzip or not; image paths are relative to its folder.

    Args:
        path: the file.
        inclusive_maxima: the file's x1 and y1 name the last pixel inside: 1 is added to them.
        seen_patients: patients whose images are left out, because a model was finetuned on them.

    Raises:
        FileNotFoundError: there is no such file.
        DatasetError: it is packed and cut off.
    """
    findings = Findings()
    builder = RecordBuilder(path.parent, findings, inclusive_maxima=inclusive_maxima, seen_patients=seen_patients)
    for number, data in read_lines(path):
        where = f"line {number}"
        if not data.strip():
            continue
        try:
            builder.add(parse_line(data), where)
        except UnicodeDecodeError as error:
            findings.leave_out("bad_utf8", where, f"byte {error.start} is not UTF-8: save the file as UTF-8")
        except ValueError as error:
            findings.leave_out("bad_line", where, str(error))
    return RecordedDataset(f"jsonl:{path.stem}", builder.records(), findings)
