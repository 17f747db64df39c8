"""The error that ends a command, and what its message may contain."""

from __future__ import annotations

import re

# A header always begins with {" or with { and white space, so its base64url with one of these.
_TOKEN = re.compile(r"\be[wy][A-Za-z0-9_+/=-]{6,}(?:\.[A-Za-z0-9_+/=-]*)*")

# The library names its arguments; the command line has options instead.
_OPTIONS = {
    "allow_loopback_http=True": "--allow-loopback-http",
    "give jwks_uri, jwks or jwks_file otherwise": "give them with --jwks otherwise",
}


class CommandError(Exception):
    """A usage error, as one or more sentences: what is wrong, and what to do. Exit status 2."""


def without_tokens(message: str) -> str:
    """Return a message about arguments without the tokens in it: one of them may be in the wrong place."""
    return _TOKEN.sub("(a token)", message)


def in_options(error: ValueError) -> str:
    """Return the library's message about an argument as a sentence about an option."""
    message = str(error)
    for argument, option in _OPTIONS.items():
        message = message.replace(argument, option)
    return f"{message}."
