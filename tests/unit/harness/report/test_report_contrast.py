"""The colours of the page can be told from their ground, in the light and in the dark (WCAG 2.2, 1.4.3 and 1.4.11)."""

import re

import pytest

from harness.report.render import _environment

STYLE = _environment().get_template("style.css").render()
TEXT, MARK = 4.5, 3.0
PAIRS = [
    *(
        (ink, ground, TEXT)
        for ink in ("ink", "soft", "accent", "good", "open", "bad")
        for ground in ("ground", "raised")
    ),
    *((name, f"{name}-ground", TEXT) for name in ("good", "open", "bad")),
    ("soft", "mute-ground", TEXT),
    *((f"c{i}", "raised", MARK) for i in range(6)),
]


def variables(dark: bool) -> dict[str, str]:
    """The custom properties of a scheme; the dark one inherits what it does not set."""
    blocks = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    found: dict[str, str] = {}
    for block in blocks[: 2 if dark else 1]:
        found |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
    return found


def luminance(colour: str) -> float:
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_measure_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_the_schemes_differ() -> None:
    assert variables(dark=True)["ground"] != variables(dark=False)["ground"]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "ground", "least"), PAIRS)
def test_what_is_read_stands_out(front: str, ground: str, least: float, dark: bool) -> None:
    scheme = variables(dark)
    assert contrast(scheme[front], scheme[ground]) >= least
