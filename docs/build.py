"""Build the documentation site into ``.cache/site`` and check every link in it: ``python docs/build.py``.

It needs the packages of the extras that ``docs/site/README.md`` lists, the built extension, and Cargo for the reference
in Rust (``--without-rust`` leaves that out). Warnings are errors.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE / "site"))

import links  # noqa: E402


def main() -> int:
    """Build, check, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / ".cache" / "site", help="where the site goes (.cache/site)")
    parser.add_argument("--without-rust", action="store_true", help="leave the reference in Rust out")
    options = parser.parse_args()
    out = options.out.resolve()
    shutil.rmtree(out, ignore_errors=True)
    rust = () if options.without_rust else ("-D", "rust_reference=1")
    sphinx = [sys.executable, "-m", "sphinx", "--builder", "html", "--fail-on-warning", "--fresh-env", "--quiet"]
    settings = ["--conf-dir", str(HERE / "site"), "--doctree-dir", str(ROOT / ".cache" / "doctrees"), *rust]
    if subprocess.run([*sphinx, *settings, str(ROOT), str(out)], check=False).returncode:  # noqa: S603
        return 1
    if rust:
        _rustdoc(out / "rust")
    broken = links.broken(out)
    sys.stdout.write("".join(f"{line}\n" for line in broken))
    sys.stdout.write(f"{out / 'index.html'}: {links.count(out)} pages, {len(broken)} broken links\n")
    return 1 if broken else 0


def _rustdoc(out: Path) -> None:
    crates = ["-p", "watchword-kernel", "-p", "watchword-gate", "-p", "watchword-arithmetic"]
    environment = {**os.environ, "RUSTDOCFLAGS": "-D warnings"}
    command = ["cargo", "doc", "--no-deps", "--locked", *crates]
    subprocess.run(command, check=True, cwd=ROOT, env=environment)  # noqa: S603
    shutil.copytree(ROOT / "target" / "doc", out)


if __name__ == "__main__":
    sys.exit(main())
