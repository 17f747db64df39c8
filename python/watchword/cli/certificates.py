"""Reading the client certificate that tokens may be bound to (RFC 8705)."""

from __future__ import annotations

from watchword.cli.command_error import CommandError

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


def load(path: str | None) -> bytes | None:
    """Return the certificate of a PEM file in DER; ``None`` for no file. Raises :class:`CommandError`.

    Of several certificates the first is the client's own, as in the file that a TLS client loads.
    """
    if path is None:
        return None
    import ssl

    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError as error:
        raise CommandError(f"{path!r} can't be read: {error.strerror}. Give the client's certificate in PEM.") from None
    block, end, _ = text[max(text.find(_BEGIN), 0) :].partition(_END)
    try:
        return ssl.PEM_cert_to_DER_cert(block + end)
    except ValueError:
        raise CommandError(f"{path!r} has no certificate in PEM. Give the client's certificate.") from None
