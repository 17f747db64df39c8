"""What ends a command before it has an answer."""

from __future__ import annotations

import re

# A header always begins with {" or with { and white space, so its base64url with one of these.
_TOKEN = re.compile(r"\be[wy][A-Za-z0-9_+/=-]{6,}(?:\.[A-Za-z0-9_+/=-]*)*")

# The library speaks of its arguments, where a person at a keyboard has options.
_OPTIONS = {
    "allow_loopback_http=True": "--allow-loopback-http",
    "give jwks_uri, jwks or jwks_file otherwise": "give them with --jwks otherwise",
}


class CommandError(Exception):
    """One or more sentences for the person at the keyboard: what is wrong, and what to do. Exit status 2."""


def without_tokens(message: str) -> str:
    """A message about arguments, one of which may be a token that was put in the wrong place."""
    return _TOKEN.sub("(a token)", message)


def in_options(error: ValueError) -> str:
    """The library's own sentence about an argument, as one about an option."""
    message = str(error)
    for argument, option in _OPTIONS.items():
        message = message.replace(argument, option)
    return f"{message}."
