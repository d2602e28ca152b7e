"""The report in a real browser: it fits the screen, fetches nothing, runs nothing, and draws maps where they belong."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harness.report import render
from tests.browser import Page, browser
from tests.report_fixture import Plan, build_results
from wronglung.geometry import letterbox

HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"> left lung"
WIDE = (900, 300)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    models = {"encoder": 0.6, "a-model-with-a-rather-long-name": 0.0}
    plan = Plan(models=models, sentence=HOSTILE, image_size=WIDE, image_id="images/" + "0123456789abcdef" * 4)
    return render(build_results(tmp_path_factory.mktemp("run"), plan))


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with browser() as tab:
        yield tab


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_the_page_fits_the_screen(page: Page, report: Path, width: int, dark: bool) -> None:
    page.open(report, width=width, dark=dark)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_nothing_is_fetched_and_nothing_complains(page: Page, report: Path) -> None:
    page.requests.clear()
    page.complaints.clear()
    page.open(report, width=1280)
    assert [url for url in page.requests if not url.startswith("data:")] == [report.resolve().as_uri()]
    assert page.complaints == []


def test_a_hostile_sentence_is_only_text(page: Page, report: Path) -> None:
    page.open(report, width=1280)
    assert "owned" not in page.evaluate("document.title")
    assert page.evaluate("document.scripts.length") == 0
    assert page.evaluate("document.querySelector('.exhibit blockquote').textContent").strip() == HOSTILE


def test_dark_is_dark_and_paper_is_white(page: Page, report: Path) -> None:
    def ground(dark: bool, media: str) -> float:
        page.open(report, width=1280, dark=dark, media=media)
        return brightness(page.screenshot({"x": 2, "y": 2, "width": 20, "height": 20}))

    assert ground(dark=True, media="screen") < 40
    assert ground(dark=False, media="screen") > 240
    assert ground(dark=True, media="print") > 250


def test_a_map_lies_where_the_frame_says(page: Page, report: Path) -> None:
    """Of a wide image the frame leaves out the sides; the lower and upper edges of the map lie outside the image."""
    page.open(report, width=1280)
    image = page.evaluate(rectangle(".overlay svg"))
    heat = page.evaluate(rectangle(".overlay .heat"))
    scale = image["width"] / WIDE[0]
    x0, y0, x1, y1 = (value * scale for value in letterbox(*WIDE).covered)
    drawn = [heat["x"] - image["x"], heat["y"] - image["y"], heat["width"], heat["height"]]
    np.testing.assert_allclose(drawn, [x0, y0, x1 - x0, y1 - y0], atol=0.6)


def test_maps_can_be_switched_off(page: Page, report: Path) -> None:
    page.open(report, width=1280)
    shown = page.evaluate(rectangle(".overlay .heat"))
    page.evaluate("document.getElementById('show-maps').click()")
    hidden = page.evaluate(rectangle(".overlay .heat"))
    assert shown["width"] > 0
    assert hidden["width"] == 0


def rectangle(selector: str) -> str:
    return f"document.querySelector('{selector}').getBoundingClientRect().toJSON()"


def brightness(png: bytes) -> float:
    return float(np.asarray(Image.open(io.BytesIO(png)).convert("L")).mean())
