"""The verdicts as JUnit XML, which every continuous integration reads. No times: equal runs give equal bytes."""

from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from harness.gate.judge import Verdict


def junit_bytes(name: str, verdicts: Sequence[Verdict]) -> bytes:
    """A test suite with a case for each condition: a failure where the interval decided against it, an error where
    nothing could be decided."""
    counts = {
        "tests": str(len(verdicts)),
        "failures": str(sum(_fault(verdict) == "failure" for verdict in verdicts)),
        "errors": str(sum(_fault(verdict) == "error" for verdict in verdicts)),
    }
    root = Xml.Element("testsuites", {"name": "harness gate", **counts})
    suite = Xml.SubElement(root, "testsuite", {"name": name, **counts, "skipped": "0"})
    for verdict in verdicts:
        case = Xml.SubElement(suite, "testcase", {"classname": f"gate.{name}", "name": verdict.name})
        if fault := _fault(verdict):
            Xml.SubElement(case, fault, {"type": verdict.outcome, "message": verdict.reason}).text = str(verdict)
        else:
            Xml.SubElement(case, "system-out").text = str(verdict)
    Xml.indent(root)
    return bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _fault(verdict: Verdict) -> str:
    if verdict.holds:
        return ""
    return "error" if verdict.outcome == "undecided" else "failure"
