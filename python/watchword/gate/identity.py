"""IdentityHeaders: what an application behind a gate is told about the sender of a request, if the gate has sent it.

An application in the gate's own process has the :class:`~watchword.gate.Decision` and needs none of this.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from watchword import _kernel

if TYPE_CHECKING:
    from watchword.request import Headers


@dataclass(frozen=True)
class Identity:
    """Who sent a request, as the gate has verified. What is unknown, or empty in the token, is ``None``.

    ``subject``, ``issuer``, ``client_id`` and ``token_id`` are the token's ``sub``, ``iss``, ``client_id`` and ``jti``;
    ``scopes`` its scopes; ``actors`` who acts for the subject, the current actor first (RFC 8693; ``None`` for one
    whose name is unknown); ``expires_at`` its ``exp`` in Unix seconds, rounded down; ``proof_key`` the thumbprint
    (RFC 7638) of the key whose possession was proved (RFC 9449). ``route`` is the name of the gate's route,
    ``trace_id`` the trace id of the request.
    """

    subject: str | None
    issuer: str | None
    client_id: str | None
    scopes: tuple[str, ...]
    actors: tuple[str | None, ...]
    token_id: str | None
    expires_at: float | None
    proof_key: str | None
    route: str
    trace_id: str

    @property
    def is_anonymous(self) -> bool:
        """Whether the gate let the request pass without a token: on a public route, or on an optional one."""
        # A token without any of these says nothing of its sender either.
        return (self.subject, self.issuer, self.client_id, self.token_id, self.expires_at) == (None,) * 5


class IdentityHeaders:
    """Reads the identity headers of requests, if a gate with one of these secrets has sent them.

    ``secrets`` are those of the gate's ``identity_secret_file``, base64url of 32 bytes or more: the gate sends the
    first of its file, and every one that is given here is accepted, so that they can be replaced. ``prefix`` is the
    gate's ``identity_prefix``. ``empty_headers`` says what the proxy does with headers that have empty values:
    ``"sent"``: it passes them on, so that none may be missing; ``"dropped"``: it drops them, as nginx does, and one
    that is missing is unknown.

    The secret protects from requests that reach the application past the gate. It does not protect from whoever reads
    the requests between the proxy and the application, nor from an application that has the same secret. The proxy must
    set every identity header: one that it leaves out is the client's.

    It may be used from any number of threads. Raises ``TypeError`` or ``ValueError`` if an argument is invalid.
    """

    def __init__(
        self,
        secrets: str | Iterable[str],
        *,
        prefix: str = "X-Auth-",
        empty_headers: Literal["sent", "dropped"] = "sent",
    ) -> None:
        if empty_headers not in ("sent", "dropped"):
            raise ValueError(f'empty_headers is {empty_headers!r}: it must be "sent" or "dropped"')
        several = [secrets] if isinstance(secrets, str) else list(secrets)
        self._reader = _kernel.IdentityReader(
            prefix=prefix, secrets=several, empty_headers_dropped=empty_headers == "dropped"
        )

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str],
        *,
        prefix: str = "X-Auth-",
        empty_headers: Literal["sent", "dropped"] = "sent",
    ) -> IdentityHeaders:
        """Return a reader with the secrets of a file, one a line; it is read once.

        Raises ``ValueError`` if a secret is unusable, or if there is none, ``OSError`` if the file cannot be read.
        """
        try:
            secrets = _kernel.read_secrets(Path(path).read_bytes())
        except ValueError as error:
            raise ValueError(f"{os.fspath(path)!r}: {error}") from None
        return cls([text for text, _ in secrets], prefix=prefix, empty_headers=empty_headers)

    def read(self, headers: Headers) -> Identity:
        """Return who sent the request with these headers: a mapping, pairs, or an object with ``items()``.

        Raises :class:`~watchword.UntrustedIdentityError` if the secret is missing or another, or if an identity header
        is missing, repeated or malformed; ``TypeError`` if a name or a value is neither ``str`` nor ``bytes``.
        """
        return Identity(*self._reader.read(headers))

    def without(self, headers: Headers) -> list[tuple[str, str]] | list[tuple[bytes, bytes]]:
        """Return the headers without those below the prefix, in any spelling, which must not be read unverified."""
        return self._reader.without(headers)

    def __repr__(self) -> str:
        """Return the prefix and the number of secrets."""
        return repr(self._reader)


__all__ = ["Identity", "IdentityHeaders"]
