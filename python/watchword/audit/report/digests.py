"""What was read and written, with digests, and how to check them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from watchword.audit.report.audit import Audit
from watchword.audit.report.manifest import FileDigest, Manifest
from watchword.html.markup import Child, Html, element, untrusted
from watchword.html.parts import NUMBER, code, details, paragraph, section, table
from watchword.html.words import count, size

#: Files of a list, and characters of the policy, that are on the page.
LISTED = 200
MAX_POLICY = 20_000

_KINDS = {"archive": "an archive of keys", "jwks": "a key set", "issuers": "a file for each issuer"}


def digests(audit: Audit) -> Html:
    """Return the section."""
    manifest = audit.manifest
    return section(
        "digests", "Files and digests",
        _how(manifest),
        _facts(manifest),
        _files("Inputs", manifest.inputs),
        _files("Output", manifest.parts),
        details("The policy", _json(manifest.policy)),
    )  # fmt: skip


def _how(manifest: Manifest) -> list[Html]:
    signed = (
        "The manifest is signed; its signature was not checked when this page was made. "
        if manifest.header is not None
        else "The manifest is not signed: it shows accidental changes, but anybody can write another one. "
    )
    return [
        paragraph(
            signed, code("watchword audit verify DIR"),
            " checks the manifest, and the digest of each file in the output directory ", code("DIR"), ".",
        ),
        paragraph(
            "A single file can be compared by hand: ", code("sha256sum FILE"), " prints the digest that is listed here."
        ),
    ]  # fmt: skip


def _facts(manifest: Manifest) -> Html:
    facts: list[tuple[str, Child]] = [
        ("Made by", ["Watchword ", untrusted(manifest.version, 40)]),
        ("Manifest", [code(manifest.name), ", SHA-256 ", _digest(manifest.sha256)]),
    ]
    if manifest.header is not None:
        facts.append(("Signature", _header(manifest.header)))
    kind = manifest.keys.get("kind")
    facts.append(("Keys", [
        _KINDS.get(str(kind)) or untrusted(_text(kind)),
        ", SHA-256 ", _digest(_text(manifest.keys.get("sha256"))),
    ]))  # fmt: skip
    head = manifest.keys.get("head")
    if isinstance(head, dict):
        facts.append(("Last record of the archive", [
            f"number {head.get('seq'):,}" if isinstance(head.get("seq"), int) else "–",
            ", SHA-256 ", _digest(_text(head.get("sha256"))),
        ]))  # fmt: skip
    return element(
        "dl", [element("div", element("dt", name), element("dd", value)) for name, value in facts], class_="facts"
    )


def _header(header: Mapping[str, Any]) -> list[Child]:
    algorithm, key_id = _text(header.get("alg")), _text(header.get("kid"))
    return ["algorithm ", untrusted(algorithm), *([", key id ", untrusted(key_id)] if key_id is not None else [])]


def _files(caption: str, files: tuple[FileDigest, ...]) -> Html:
    rest = len(files) - LISTED
    with_size = any(file.size is not None for file in files)
    headings = ["File", *([f"Size{NUMBER}"] if with_size else []), f"Rows{NUMBER}", "SHA-256"]
    rows: list[list[Child]] = [
        [
            untrusted(file.path, 120),
            *(["–" if file.size is None else size(file.size)] if with_size else []),
            "–" if file.rows is None else f"{file.rows:,}",
            _digest(file.sha256),
        ]
        for file in files[:LISTED]
    ]
    if not files:
        return paragraph(f"{caption}: none.")
    return element(
        "div",
        table(f"{caption}: {count(len(files), 'file')}", headings, rows),
        paragraph(f"{count(rest, 'file')} more are in the manifest.", class_="note") if rest > 0 else None,
    )


def _digest(text: str | None) -> Html:
    return element("span", untrusted(text, 64), class_="hash")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _json(value: Mapping[str, Any]) -> Html:
    # ASCII: no character in it changes how the rest is shown.
    text = json.dumps(value, indent=2, sort_keys=True)
    cut = f"\n… ({len(text):,} characters in all; the manifest has them)" if len(text) > MAX_POLICY else ""
    return element("pre", text[:MAX_POLICY], cut, tabindex="0", role="region", aria_label="The policy")


__all__ = ["digests"]
