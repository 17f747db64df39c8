"""``watchword thumbprint``: RFC 7638 thumbprints (SHA-256, base64url)."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from watchword import KeySet, KeySetError, thumbprint
from watchword.cli import sources
from watchword.cli.terminal import escaped
from watchword.printable import to_json

_DESCRIPTION = """\
Prints the RFC 7638 thumbprint of each key of a JWK, a JWK Set or a public key
in PEM, and its kid if it has one.

A thumbprint does not say whether a key is usable; `watchword keys` does.

Exit status: 0 all printed, 1 some keys have none, 2 a usage error."""


def add_to(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = verbs.add_parser(
        "thumbprint",
        help="print the RFC 7638 thumbprints of keys",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", nargs="?", default="-", metavar="FILE|URL", help="keys (default: -, standard input)")
    parser.add_argument("--allow-loopback-http", action="store_true", help="allow http:// to loopback")
    parser.add_argument("--json", action="store_true", help="print one JSON object per line, one for each key")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print a line for each key. Returns the exit status."""
    document = sources.read_document(arguments.source, allow_loopback_http=arguments.allow_loopback_http)
    keys = sources.parse_keys(document, arguments.source)
    sources.check_not_empty(keys)
    status = 0
    for place, (key_id, jwk) in enumerate(_keys_of(document, keys)):
        try:
            text = jwk if isinstance(jwk, str) else thumbprint(json.dumps(jwk))
        except KeySetError as error:
            print(f"watchword thumbprint: keys[{place}] has no thumbprint: {escaped(error)}.", file=sys.stderr)
            status = 1
            continue
        if arguments.json:
            print(to_json({"thumbprint": text, "key_id": key_id}))
        else:
            print(text + ("" if key_id is None else f"  {escaped(key_id)}"))
    return status


def _keys_of(document: bytes, keys: KeySet) -> list[tuple[str | None, Any]]:
    """Return each key's kid and its JWK, or its thumbprint if it is PEM. The document has been parsed before."""
    try:
        members = json.loads(document)
    except ValueError:
        return [(key.key_id, key.thumbprint) for key in keys]
    # Not from the KeySet: rejected keys have thumbprints too.
    jwks = members["keys"] if isinstance(members.get("keys"), list) else [members]
    return [(_kid(jwk), jwk) for jwk in jwks]


def _kid(jwk: object) -> str | None:
    kid = jwk.get("kid") if isinstance(jwk, dict) else None
    return kid if isinstance(kid, str) else None
