"""The options that say what is required of a token, for every command that verifies."""

from __future__ import annotations

import argparse


def add_requirement_options(group: argparse._ArgumentGroup, *, default_leeway: str = "5") -> None:
    """Add the options to a group; ``default_leeway`` is what the help says."""
    group.add_argument("--issuer", action="append", default=[], metavar="URL", help="an accepted issuer +")
    group.add_argument("--audience", action="append", default=[], metavar="URL", help="an accepted audience +")
    group.add_argument("--any-audience", action="store_true", help="accept any audience")
    group.add_argument(
        "--algorithm", action="append", metavar="ALG", help="an accepted algorithm (default: those of the keys) +"
    )
    group.add_argument(
        "--type", action="append", metavar="TYP", help="an accepted typ; none: no typ (default: JWT, at+jwt, none) +"
    )
    group.add_argument(
        "--require", action="append", default=[], metavar="CLAIM", help="a required claim, in addition to exp +"
    )
    group.add_argument(
        "--leeway", type=float, metavar="SECONDS", help=f"for exp, nbf and iat, both ways (default: {default_leeway})"
    )
    group.add_argument(
        "--accept-bound", action="store_true", help="accept a token bound to a key or a certificate without it"
    )


def types_in(arguments: argparse.Namespace) -> list[str | None] | None:
    """Return the values of ``--type``, ``None`` for the absence of ``typ``; ``None`` without the option."""
    return [None if name == "none" else name for name in arguments.type] if arguments.type else None


__all__ = ["add_requirement_options", "types_in"]
