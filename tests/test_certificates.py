"""Tokens that are bound to a client certificate (RFC 8705 section 3): the same verdict on every path."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import mint
import proofs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paths import KEY_OPTIONS
from proofs import METHOD, NOW, URI

import watchword as ww
from watchword.dpop import DpopVerifier
from watchword.testing import ClientCertificate, LocalIssuer

# RFC 8705 appendix A: a certificate, and the value of x5t#S256 that is calculated from it.
RFC_CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAx
ODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqG
SM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ
/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwID
SQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOV
bUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY=
-----END CERTIFICATE-----
"""
RFC_THUMBPRINT = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"
#: The example of section 3.1 has unused bits set, so no encoder writes it.
RFC_MALFORMED = "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"

KEYS = mint.jwks("ed25519")
OWN, OTHER = b"\x30\x82 a certificate", b"\x30\x82 another"
JKT = proofs.jkt()


def thumbprint(der: bytes) -> str:
    return mint.b64(hashlib.sha256(der).digest())


class Sent(NamedTuple):
    """What is sent with a token."""

    proof: bool
    certificate: bytes | None


SENT = [Sent(proof, certificate) for proof in (False, True) for certificate in (None, OWN, OTHER)]

_OK, _UNSUPPORTED, _UNBOUND, _PROOF = None, "unsupported", "dpop_unbound_token", "dpop_proof_required"
_NO_CERTIFICATE, _OTHER_CERTIFICATE = "certificate_required", "certificate_mismatch"

Codes = list[str | None]

#: ``cnf`` -> the codes if bound tokens need what they are bound to, and if they are accepted without it. Each row is in
#: the order of SENT: without a proof, without a certificate, with the right one, with another; then with a proof.
TABLE: list[tuple[dict[str, Any] | None, Codes, Codes]] = [
    (None, [_OK, _OK, _OK, _UNBOUND, _UNBOUND, _UNBOUND], [_OK, _OK, _OK, _UNBOUND, _UNBOUND, _UNBOUND]),
    (
        {"x5t#S256": thumbprint(OWN)},
        [_NO_CERTIFICATE, _OK, _OTHER_CERTIFICATE, _NO_CERTIFICATE, _UNBOUND, _OTHER_CERTIFICATE],
        [_OK, _OK, _OTHER_CERTIFICATE, _UNBOUND, _UNBOUND, _OTHER_CERTIFICATE],
    ),
    ({"jkt": JKT}, [_PROOF, _PROOF, _PROOF, _OK, _OK, _OK], [_OK] * 6),
    (
        {"jkt": JKT, "x5t#S256": thumbprint(OWN)},
        [_NO_CERTIFICATE, _PROOF, _OTHER_CERTIFICATE, _NO_CERTIFICATE, _OK, _OTHER_CERTIFICATE],
        [_OK, _OK, _OTHER_CERTIFICATE, _OK, _OK, _OTHER_CERTIFICATE],
    ),
    ({"kid": "1"}, [_UNSUPPORTED] * 6, [_OK] * 3 + [_UNSUPPORTED] * 3),
    (
        {"jkt": JKT, "x5t#S256": thumbprint(OWN), "kid": "1"},
        [_UNSUPPORTED] * 6,
        [_OK, _OK, _OTHER_CERTIFICATE] + [_UNSUPPORTED] * 3,
    ),
]


def _code(run: Callable[[], object]) -> str | None:
    try:
        run()
    except ww.VerificationError as error:
        return error.code.value
    return None


def _codes(token: str, sent: Sent, bound_tokens: Literal["reject", "accept"]) -> Iterator[tuple[str, str | None]]:
    """Verify on every path that takes what is sent: its name, and the code."""
    options: dict[str, Any] = {"audience": mint.AUDIENCE, "bound_tokens": bound_tokens}
    policy = ww.Policy(issuer=mint.ISSUER, **options)
    text = proofs.proof(proofs.claims(ath=proofs.ath(token)))
    proof = ww.dpop.verify_proof(text, method=METHOD, uri=URI, access_token=token, now=NOW) if sent.proof else None
    both: dict[str, Any] = {"proof": proof, "certificate": sent.certificate}
    headers = {"Authorization": f"DPoP {token}", "DPoP": text} if proof else {"Authorization": f"Bearer {token}"}
    request: dict[str, Any] = {
        "method": METHOD,
        "uri": URI,
        "headers": headers,
        "certificate": sent.certificate,
    }
    for keys_options in KEY_OPTIONS:
        keys = ww.KeySet.from_json(KEYS, **keys_options._asdict())
        keys.prepare()
        yield f"verify, {keys_options}", _code(lambda: ww.verify(token, keys, policy, now=NOW, **both))  # noqa: B023 - run at once
    for cached in (False, True):
        cache = ww.TokenCache(max_bytes=1 << 20) if cached else None
        issuer = ww.Issuer(mint.ISSUER, jwks=KEYS)
        with (
            ww.Verifier(
                issuer, clock=lambda: NOW, token_cache=cache, dpop=DpopVerifier(replay=None), **options
            ) as verifier,
            ww.IssuerKeys(issuer, clock=lambda: NOW, token_cache=cache) as issuer_keys,
        ):
            paths: dict[str, Callable[[], object]] = {
                "Verifier.verify": lambda: verifier.verify(token, **both),
                "Verifier.verify_async": lambda: asyncio.run(verifier.verify_async(token, **both)),
                "Verifier.verify_current": lambda: verifier.verify_current(token, **both),
                "Verifier.verify_fetching": lambda: ww.waiting.finish(verifier.verify_fetching(token, **both)),
                "Verifier.verify_request": lambda: verifier.verify_request(**request),
                "Verifier.verify_request_async": lambda: asyncio.run(verifier.verify_request_async(**request)),
                "IssuerKeys.verify": lambda: issuer_keys.verify(token, policy, **both),
                "IssuerKeys.verify_async": lambda: asyncio.run(issuer_keys.verify_async(token, policy, **both)),
                "IssuerKeys.verify_fetching": lambda: ww.waiting.finish(
                    issuer_keys.verify_fetching(token, policy, **both)
                ),
            }
            if sent == Sent(proof=False, certificate=None):
                paths["Verifier.verify_many"] = lambda: verifier.verify_many([token])[0]
            # Twice: the second time the token may be in the cache.
            for _ in range(2):
                for name, run in paths.items():
                    yield f"{name}, cached: {cached}", _code(lambda: _raise(run()))  # noqa: B023 - run at once


def _raise(found: object) -> None:
    if isinstance(found, ww.VerificationError):
        raise found


@pytest.mark.parametrize("row", TABLE, ids=lambda row: ",".join(row[0] or ("not bound",)))
def test_every_confirmation_method_is_checked(row: tuple[dict[str, Any] | None, Codes, Codes]) -> None:
    cnf, rejecting, accepting = row
    token = mint.token(mint.claims(cnf=mint.OMIT if cnf is None else cnf))
    policies: list[tuple[Literal["reject", "accept"], Codes]] = [("reject", rejecting), ("accept", accepting)]
    for bound_tokens, expected in policies:
        for sent, code in zip(SENT, expected, strict=True):
            differing = {path: found for path, found in _codes(token, sent, bound_tokens) if found != code}
            assert not differing, f"{bound_tokens}, {sent}: expected {code}"


def test_the_example_of_rfc_8705() -> None:
    der = ssl.PEM_cert_to_DER_cert(RFC_CERTIFICATE)
    keys, policy = ww.KeySet.from_json(KEYS), ww.Policy(issuer=mint.ISSUER, audience=mint.AUDIENCE)
    token = mint.token(mint.claims(cnf={"x5t#S256": RFC_THUMBPRINT}))
    verified = ww.verify(token, keys, policy, now=NOW, certificate=der)
    assert verified.confirmation is not None
    assert verified.confirmation.certificate == RFC_THUMBPRINT
    with pytest.raises(ww.CertificateRequiredError) as required:
        ww.verify(token, keys, policy, now=NOW)
    with pytest.raises(ww.CertificateMismatchError) as mismatch:
        ww.verify(token, keys, policy, now=NOW, certificate=der[:-1])
    for error in (required.value, mismatch.value):
        # RFC 8705 section 3: 401 and invalid_token.
        assert error.http_status == 401
        assert str(error.www_authenticate()).startswith('Bearer error="invalid_token", error_description="the token is')
        assert error.token_claims == verified.claims
        assert RFC_THUMBPRINT not in f"{error}{error!r}{error.www_authenticate()}"
    malformed = mint.token(mint.claims(cnf={"x5t#S256": RFC_MALFORMED}))
    assert _code(lambda: ww.verify(malformed, keys, policy, now=NOW, certificate=der)) == "malformed_claims"


def test_a_stolen_token_is_not_let_in_by_the_cache() -> None:
    issuer = LocalIssuer()
    owner, thief = ClientCertificate.make(), ClientCertificate.make()
    cache = ww.TokenCache(max_bytes=1 << 20)
    with issuer.verifier(token_cache=cache) as verifier:
        raw = issuer.mint(certificate=owner.der)
        verifier.verify(raw, certificate=owner.der)
        with pytest.raises(ww.CertificateMismatchError):
            verifier.verify(raw, certificate=thief.der)
        with pytest.raises(ww.CertificateRequiredError):
            verifier.verify(raw)
        verifier.verify(raw, certificate=owner.der)
        assert cache.stats().hits == 3


def test_the_certificate_is_compared_before_the_proof_is_read() -> None:
    issuer = LocalIssuer()
    certificate = ClientCertificate.make()
    raw = issuer.mint(cnf={"jkt": JKT}, certificate=certificate.der)
    headers = {"Authorization": f"DPoP {raw}", "DPoP": "not a proof"}
    with issuer.verifier() as verifier:
        codes = [
            _code(lambda der=der: verifier.verify_request(method="GET", uri=URI, headers=headers, certificate=der))
            for der in (None, OTHER, certificate.der)
        ]
    assert codes == ["certificate_required", "certificate_mismatch", "dpop_malformed_proof"]


def test_keys_that_have_to_be_fetched_first() -> None:
    certificate = ClientCertificate.make()
    with LocalIssuer().serve() as served:
        raw = served.mint(certificate=certificate.der)
        for der, code in ((certificate.der, None), (None, "certificate_required"), (OTHER, "certificate_mismatch")):
            with served.verifier() as verifier:
                assert verifier.verify_current(raw, certificate=der) is None
                assert _code(lambda own=verifier, der=der: own.verify(raw, certificate=der)) == code
            with served.verifier() as verifier:
                run = verifier.verify_async(raw, certificate=der)
                assert _code(lambda run=run: asyncio.run(run)) == code


@pytest.mark.parametrize(
    "certificate", ["a certificate", bytearray(OWN), memoryview(OWN), 1, [OWN], ClientCertificate.make()]
)
def test_what_is_not_bytes_is_a_type_error(certificate: Any) -> None:
    issuer = LocalIssuer()
    with issuer.verifier(token_cache=ww.TokenCache(max_bytes=1 << 20)) as verifier:
        for raw in (issuer.mint(), issuer.mint(certificate=OWN)):
            for verify in (verifier.verify, _module_verify(issuer)):
                with pytest.raises(TypeError, match=r"^certificate must be bytes \(a certificate in DER\), not"):
                    verify(raw, certificate=certificate)


@pytest.mark.parametrize("certificate", [b"", RFC_CERTIFICATE.encode()])
def test_bytes_that_are_no_certificate_are_a_value_error(certificate: bytes) -> None:
    # Of an application that passes them, each request would be rejected without a reason that its operator could see.
    issuer = LocalIssuer()
    with issuer.verifier() as verifier:
        for verify in (verifier.verify, _module_verify(issuer)):
            with pytest.raises(ValueError, match=r"^certificate (is empty|must be in DER, not PEM)"):
                verify(issuer.mint(), certificate=certificate)


def _module_verify(issuer: LocalIssuer) -> Callable[..., object]:
    keys, policy = issuer.key_set(), issuer.policy()
    return lambda raw, **sent: ww.verify(raw, keys, policy, **sent)


_SIGNED_FOR: dict[bytes, str] = {}
_KEYS, _POLICY = ww.KeySet.from_json(KEYS), ww.Policy(issuer=mint.ISSUER, audience=mint.AUDIENCE)
_CACHE = ww.TokenCache(max_bytes=1 << 20)


@given(der=st.binary(min_size=1, max_size=300), other=st.binary(min_size=1, max_size=300), bit=st.integers(0, 2399))
def test_only_the_same_bytes_pass(der: bytes, other: bytes, bit: int) -> None:
    token = mint.token(mint.claims(cnf={"x5t#S256": thumbprint(der)}))
    flipped = bytearray(der)
    flipped[bit // 8 % len(der)] ^= 1 << bit % 8
    for certificate in (der, other, bytes(flipped), der + b"\0", der[:-1]):
        if certificate[:2] == b"--" or not certificate:
            continue  # PEM, or nothing
        expected = None if certificate == der else "certificate_mismatch"
        for verify in (ww.verify, _CACHE.verify):
            assert _code(lambda: verify(token, _KEYS, _POLICY, now=NOW, certificate=certificate)) == expected  # noqa: B023 - run at once


def test_a_certificate_for_tests(tmp_path: Path) -> None:
    made = ClientCertificate.make("alice")
    assert ssl.PEM_cert_to_DER_cert(made.pem) == made.der
    issuer = LocalIssuer()
    cnf = ww.decode_unverified(issuer.mint(cnf={"jkt": "x"}, certificate=made.der)).claims
    assert cnf is not None
    assert cnf["cnf"] == {"jkt": "x", "x5t#S256": made.thumbprint}
    assert "PRIVATE" not in repr(made)
    # It is one that TLS accepts: the server receives it, and a token that is bound to it is valid.
    received = _certificate_received(made, tmp_path)
    with issuer.verifier() as verifier:
        assert verifier.verify(issuer.mint(certificate=made.der), certificate=received).subject == "agent-7"


def _certificate_received(client: ClientCertificate, folder: Path) -> bytes:
    """Return the client's certificate as a TLS server receives it, after a handshake in memory."""
    contexts = []
    for protocol, own in (
        (ssl.PROTOCOL_TLS_SERVER, ClientCertificate.make("server")),
        (ssl.PROTOCOL_TLS_CLIENT, client),
    ):
        chain = folder / f"{protocol}.pem"
        chain.write_text(own.pem + own.private_key_pem)
        context = ssl.SSLContext(protocol)
        context.check_hostname = False
        context.load_cert_chain(chain)
        contexts.append(context)
    server_context, client_context = contexts
    server_context.verify_mode = ssl.CERT_REQUIRED
    server_context.load_verify_locations(cadata=client.pem)
    client_context.verify_mode = ssl.CERT_NONE
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    ends = [client_context.wrap_bio(to_client, to_server), server]
    for _ in range(10):
        for end in ends:
            with contextlib.suppress(ssl.SSLWantReadError):
                end.do_handshake()
    received = server.getpeercert(binary_form=True)
    assert received is not None
    return received
