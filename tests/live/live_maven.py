"""Install the servers that are written in Java, through Maven, from Maven Central.

Keycloak comes as it is distributed; Spring Authorization Server is a library, compiled into ``spring/``'s application.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import zipfile
from functools import cache
from pathlib import Path

import pytest
from live_install import CACHE, HERE, locked, once, run, unavailable

KEYCLOAK = "26.2.0"
KEYCLOAK_SHA256 = "fa259a82e9e6f2f7263ffc992b77e296d6a0d94c7b31c8da796a445720b4c40c"

#: What Keycloak must be told before it is built into what starts.
KEYCLOAK_BUILD = ("--db=dev-mem", "--features=dpop", "--https-client-auth=request")

COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
OLDEST_JAVA = 17
LOGS = 5


@cache
def java() -> Path:
    """The ``java`` command. Unavailable if it is missing or too old."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin" if home else None)
    if found is None:
        unavailable(f"Java {OLDEST_JAVA} is needed for Keycloak and Spring Authorization Server, and java is missing")
    said = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < OLDEST_JAVA:
        unavailable(f"Java {OLDEST_JAVA} or newer is needed; {found} says: {said[:100]}")
    return Path(found)


def keycloak() -> Path:
    """The folder of a Keycloak that is built and ready to start."""
    java()

    def install(folder: Path) -> None:
        artifact = f"org.keycloak:keycloak-quarkus-dist:{KEYCLOAK}:zip"
        _maven(COPY, f"-Dartifact={artifact}", f"-DoutputDirectory={folder}", purpose="download Keycloak", cwd=folder)
        archive = folder / f"keycloak-quarkus-dist-{KEYCLOAK}.zip"
        with archive.open("rb") as file:
            digest = hashlib.sha256()
            while block := file.read(1 << 20):
                digest.update(block)
        if digest.hexdigest() != KEYCLOAK_SHA256:
            # Not a matter of what this machine has: never a skip.
            pytest.fail(f"{archive.name} is another file than the one that was pinned: {digest.hexdigest()}")
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folder)
        archive.unlink()
        built = folder / f"keycloak-{KEYCLOAK}"
        run(["sh", "bin/kc.sh", "build", *KEYCLOAK_BUILD], "build Keycloak", cwd=built, env=keycloak_environment())

    pinned = " ".join((KEYCLOAK, KEYCLOAK_SHA256, *KEYCLOAK_BUILD)).encode()
    return once("keycloak", install, pinned) / f"keycloak-{KEYCLOAK}"


def keycloak_environment() -> dict[str, str]:
    """The environment without anybody's own settings of Keycloak, and with a JVM that is small and starts quickly."""
    inherited = {n: v for n, v in os.environ.items() if not n.startswith(("KC_", "QUARKUS_", "JAVA_OPTS"))}
    return inherited | {"JAVA": str(java()), "JAVA_OPTS": " ".join(jvm_options(heap=512))}


def jvm_options(*, heap: int) -> list[str]:
    """A heap of so many MiB at most; and no time spent on what pays only in servers that run for hours."""
    return [f"-Xmx{heap}m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError"]


def spring() -> list[str]:
    """The command that runs the application, less its own options."""
    command = [str(java()), *jvm_options(heap=256)]
    if shutil.which("javac", path=str(java().parent)) is None:
        unavailable("a Java development kit is needed for Spring Authorization Server, and javac is missing")
    source = HERE / "spring"

    def install(folder: Path) -> None:
        shutil.copytree(source, folder, dirs_exist_ok=True)
        goals = ("compile", "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=lib")
        _maven(*goals, purpose="compile the Spring application", cwd=folder)

    files = sorted(path for path in source.rglob("*") if path.is_file())
    folder = once("spring", install, b"".join(path.read_bytes() for path in files))
    return [*command, "-cp", f"{folder}/target/classes{os.pathsep}{folder}/lib/*", "AuthorizationServer"]


def log_file(name: str) -> Path:
    """Return the path of a server's log, kept for diagnosis; of earlier ones the newest few are kept."""
    logs = CACHE / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    earlier = sorted(logs.glob(f"{name}-*.log"), key=lambda path: path.stat().st_mtime)
    for path in earlier[: -LOGS + 1]:
        path.unlink(missing_ok=True)
    return logs / f"{name}-{os.getpid()}.log"


def _maven(*arguments: str, purpose: str, cwd: Path) -> None:
    mvn = shutil.which("mvn")
    if mvn is None:
        unavailable(f"Maven is needed to {purpose}, and mvn is missing")
    # Checkouts share the user's repository, in which two Mavens at once would be in each other's way.
    with locked(Path.home() / ".m2" / "watchword.lock"):
        run([mvn, "--batch-mode", "--quiet", "--strict-checksums", *arguments], purpose, cwd=cwd)
