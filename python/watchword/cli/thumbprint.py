"""``watchword thumbprint``: RFC 7638 thumbprints (SHA-256, base64url)."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from watchword import _kernel
from watchword._kernel import KeySet
from watchword.cli import sources
from watchword.cli.terminal import shown
from watchword.cli.verdicts import dump
from watchword.errors import KeySetError

_DESCRIPTION = """\
Prints the RFC 7638 thumbprint of each key of a JWK, a JWK Set or a public key
in PEM, and its kid where it has one.

A thumbprint says nothing of whether the key is any good; `watchword keys` does.
Exit status: 0 all printed, 1 some keys have none, 2 usage."""


def add_to(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the verb to the command line."""
    parser = verbs.add_parser(
        "thumbprint",
        help="print the RFC 7638 thumbprints of keys",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "source", nargs="?", default="-", metavar="FILE|URL", help="standard input where left out, or -"
    )
    parser.add_argument("--allow-loopback-http", action="store_true", help="let http to this very machine pass")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, a key each")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Prints a line for each key. Returns the exit status."""
    document = sources.read_document(arguments.source, allow_loopback_http=arguments.allow_loopback_http)
    keys = sources.parse_keys(document, arguments.source)
    sources.check_not_empty(keys)
    status = 0
    for place, (key_id, jwk) in enumerate(_keys_of(document, keys)):
        try:
            thumbprint = jwk if isinstance(jwk, str) else _kernel.thumbprint(json.dumps(jwk))
        except KeySetError as error:
            print(f"watchword thumbprint: keys[{place}] has none: {shown(error)}.", file=sys.stderr)
            status = 1
            continue
        if arguments.json:
            print(dump({"thumbprint": thumbprint, "key_id": key_id}))
        else:
            print(thumbprint + ("" if key_id is None else f"  {shown(key_id)}"))
    return status


def _keys_of(document: bytes, keys: KeySet) -> list[tuple[str | None, Any]]:
    """Each key's kid, and its JWK or (of a PEM) its thumbprint. The set has been parsed, so its form is known."""
    try:
        members = json.loads(document)
    except ValueError:
        return [(key.key_id, key.thumbprint) for key in keys]
    # Not from the KeySet: a key that is of no use to a verifier has a thumbprint all the same.
    jwks = members["keys"] if isinstance(members.get("keys"), list) else [members]
    return [(_kid(jwk), jwk) for jwk in jwks]


def _kid(jwk: object) -> str | None:
    kid = jwk.get("kid") if isinstance(jwk, dict) else None
    return kid if isinstance(kid, str) else None
