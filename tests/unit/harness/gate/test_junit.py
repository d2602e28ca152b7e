"""Verdicts as JUnit XML: well-formed, with the vocabulary that pytest itself writes."""

import subprocess
import sys
from xml.etree import ElementTree as Xml

from harness.gate.judge import Verdict
from harness.gate.junit import junit_bytes

VERDICTS = [
    Verdict("value failures at most 0", True, "shown", "is 0"),
    Verdict('value models.<m & "n">.auroc at least 0.7', False, "refuted", "is 0.5 [0.4, 0.6] → below"),
    Verdict("change of laterality.m.lri at least 0", False, "undecided", "the two runs have nothing in common"),
]


def vocabulary(root):
    """Which attributes each element has."""
    found = {}
    for node in root.iter():
        found.setdefault(node.tag, set()).update(node.attrib)
    return found


def test_every_condition_is_a_case_that_passes_fails_or_could_not_be_decided():
    (suite,) = Xml.fromstring(junit_bytes("nightly", VERDICTS))
    assert {key: suite.get(key) for key in ("name", "tests", "failures", "errors", "skipped")} == {
        "name": "nightly",
        "tests": "3",
        "failures": "1",
        "errors": "1",
        "skipped": "0",
    }
    assert [case.get("name") for case in suite] == [verdict.name for verdict in VERDICTS]
    assert [next(iter(case)).tag for case in suite] == ["system-out", "failure", "error"]
    assert suite[1][0].get("message") == VERDICTS[1].reason
    assert suite[1][0].text == str(VERDICTS[1])


def test_equal_verdicts_give_equal_bytes():
    assert junit_bytes("a", VERDICTS) == junit_bytes("a", list(VERDICTS))


def test_it_uses_no_element_or_attribute_that_pytest_does_not_write(tmp_path):
    tests = "import pytest\n@pytest.fixture\ndef broken(): 1 / 0\n"
    tests += "def test_a(): print(1)\ndef test_b(): assert 0\ndef test_c(broken): pass\n"
    (tmp_path / "test_it.py").write_text(tests)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=out.xml", "--rootdir=."]
    options = ["-c", "/dev/null", "-o", "junit_logging=all"]
    subprocess.run([*command, *options, "test_it.py"], cwd=tmp_path, capture_output=True)
    known = vocabulary(Xml.parse(tmp_path / "out.xml").getroot())
    known["testsuites"] |= known["testsuite"]  # totals: pytest writes them on the suite alone
    known["failure"] |= {"type"}  # pytest writes the type of a failure as part of its message
    known["error"] |= {"type"}
    mine = vocabulary(Xml.fromstring(junit_bytes("nightly", VERDICTS)))
    assert {tag: names - known[tag] for tag, names in mine.items()} == {tag: set() for tag in mine}
