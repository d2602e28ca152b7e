"""Profile `paper` for 19 × 19 maps on 224 × 224 pixels: the closed form over cells against one pixel at a time."""

import numpy as np

from benchmarks import per_pixel
from benchmarks.cpu_time import median_seconds
from harness.metrics import registered, score

MAPS = 200
REPEATS = 7
SIZE, CELLS = 224, 19


def main() -> None:
    """Print milliseconds of CPU time per map of both ways and the ratio of their medians."""
    maps, boxes = _cases()
    chosen = [metric for metric in registered("paper") if metric.empty_label == "null"]

    def closed_form() -> dict[str, list[float]]:
        return {name: values.tolist() for name, values in score(maps, boxes, profile="paper", metrics=chosen).items()}

    def plain() -> dict[str, list[float]]:
        rows = [per_pixel.paper(grid, each) for grid, each in zip(maps, boxes, strict=True)]
        return {name: [row[name] for row in rows] for name in rows[0]}

    _check_equal(closed_form(), plain())
    fast, slow = median_seconds(closed_form, REPEATS), median_seconds(plain, 3)
    print(f"{len(chosen)} metrics of {MAPS} maps, medians of {REPEATS} and 3 runs")
    print(f"closed form {1000 * fast / MAPS:9.3f} ms of CPU per map")
    print(f"per pixel   {1000 * slow / MAPS:9.3f} ms of CPU per map")
    print(f"ratio       {slow / fast:9.0f} ×")


def _cases() -> tuple[np.ndarray, list[list[list[int]]]]:
    rng = np.random.default_rng(0)
    maps = rng.dirichlet(np.ones(CELLS * CELLS), MAPS).reshape(MAPS, CELLS, CELLS)
    corners = np.sort(rng.integers(0, SIZE, (MAPS, 3, 2, 2)), axis=2)  # three boxes, (low, high) × (x, y)
    return maps, corners.reshape(MAPS, 3, 4).tolist()


def _check_equal(found: dict[str, list[float]], expected: dict[str, list[float]]) -> None:
    for name, values in found.items():
        np.testing.assert_allclose(values, expected[name], atol=1e-9, err_msg=name)


if __name__ == "__main__":
    main()
