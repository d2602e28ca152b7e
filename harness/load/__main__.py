"""`python -m harness.load [Locust's flags]`: the stepped load against WRONGLUNG_TARGET, without a browser.

Ends with status 0 when every request was answered. `--out DIR` (default results/load) receives report.html and
load.json. Its TLS and its token are those of the environment (WRONGLUNG_TLS_ROOT, WRONGLUNG_TOKEN_FILE and so on).
"""

import argparse
import os
import sys
from pathlib import Path


def main() -> None:
    """Replace this process by Locust."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--out", type=Path, default=Path("results/load"))
    options, others = parser.parse_known_args()
    options.out.mkdir(parents=True, exist_ok=True)
    locustfile = Path(__file__).with_name("locustfile.py")
    ours = ["--headless", "--only-summary", "--loglevel", "WARNING", "--html", str(options.out / "report.html")]
    host = ["--host", os.environ.get("WRONGLUNG_TARGET", "127.0.0.1:8500")]
    command = ["-m", "locust", "-f", str(locustfile), *ours, *host, "--out", str(options.out), *others]
    os.execv(sys.executable, [sys.executable, *command])  # noqa: S606


if __name__ == "__main__":
    main()
