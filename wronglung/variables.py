"""The environment variables that are ours: of a misspelt one nothing would tell that what it says does not hold."""

import difflib
import re
from collections.abc import Iterator, Mapping

PREFIX = "WRONGLUNG_"
KNOWN = frozenset(
    {
        *("TLS_CERT", "TLS_KEY", "CLIENT_CA", "TOKENS"),  # of a server
        *("TARGET", "TLS_ROOT", "CLIENT_CERT", "CLIENT_KEY", "SERVER_NAME", "TOKEN_FILE"),  # of a client
        *("HOME", "METRICS_URL", "REAL_CXR"),  # of a checkout, what runs after `serve --`, and the harness
        *("CI", "SHARED", "SECRETS"),  # of the tests and of compose
        *("CLOCK_FILE", "FAULTS_INSIDE", "FAULTS_RUN"),  # of the fault campaign
    }
)
"""What follows the prefix."""

_OF_KUBERNETES = re.compile(r"_SERVICE_HOST$|_SERVICE_PORT(_\w+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_\w+)?$")
"""Set in every pod for a Service that is named as we are."""


def misspelt(environ: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each variable with our prefix that nothing reads. Values, which may be secrets, are in none."""
    for name in sorted(environ):
        rest = name.removeprefix(PREFIX)
        if rest == name or rest in KNOWN or _OF_KUBERNETES.search(name) or "://" in environ[name]:
            continue
        near = difflib.get_close_matches(rest, KNOWN, n=1)
        yield f"nothing reads ${name}" + (f": did you mean ${PREFIX}{near[0]}?" if near else "")
