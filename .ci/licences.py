"""Reads ``cargo metadata`` on standard input; fails where a crate's licence is not one that we may build on."""

from __future__ import annotations

import json
import sys

# Enough for any of them: a crate that offers a choice needs one of these in it, one that joins licences needs all.
ACCEPTED = {
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    # Of tiny-keccak, which Arrow needs at build time on WebAssembly.
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
}

#: Tools of tests, by their licences: they are in nothing that is built.
TOOLS = {"cbindgen": "MPL-2.0"}


def accepted(expression: str) -> bool:
    """Of an SPDX expression: every part of its ANDs has an accepted alternative."""
    parts = expression.replace("(", "").replace(")", "").split(" AND ")
    return all(any(choice.strip() in ACCEPTED for choice in part.replace("/", " OR ").split(" OR ")) for part in parts)


packages = json.load(sys.stdin)["packages"]
rejected = [
    f"{p['name']} {p['version']}: {p['license']}"
    for p in packages
    if not accepted(p["license"] or "none") and TOOLS.get(p["name"]) != p["license"]
]
sys.stdout.write(f"{len(packages)} crates\n")
sys.exit("\n".join(["licences that are not accepted:", *rejected]) if rejected else 0)
