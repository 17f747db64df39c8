"""The token is verified first, and completely; the proof only if the token is valid, and bound to the proof's key.

Whoever sends a request chooses the key of its proof, and so the cost of verifying it. A proof with an invalid token is
not verified.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import mint
import order_cases
import proofs
import pytest
from paths import KEY_OPTIONS
from proofs import METHOD, NOW, URI, claims, header, jwk, proof
from test_dpop_defects import DEFECTS

import watchword as ww
from watchword import _kernel
from watchword.dpop import DpopVerifier

#: The steps of docs/verification.md from which on the binding to a key is checked.
BINDING_STEP = 19

#: Name -> the code of a token, and the token. All defects of the order of checks come before the proof.
INVALID_TOKENS: dict[str, tuple[str, str]] = {
    **{
        case.name: (case.code.value, order_cases.token_with(case, cnf={"jkt": proofs.jkt()}))
        for case in order_cases.CASES
        if case.step < BINDING_STEP
    },
    "no token at all": ("malformed_token", "abc"),
    "payload not JSON": ("malformed_claims", mint.token(b"{")),
    "not bound": ("dpop_unbound_token", mint.token(mint.claims(tenant="blue"))),
    "bound to a certificate, too": (
        "certificate_required",
        mint.token(mint.claims(tenant="blue", cnf={"jkt": proofs.jkt(), "x5t#S256": mint.b64(bytes(32))})),
    ),
    "bound otherwise": (
        "unsupported",
        mint.token(mint.claims(tenant="blue", cnf={"jkt": proofs.jkt(), "kid": "AA"})),
    ),
}

#: Proofs that are expensive to verify, or whose error would come first if the proof were verified first.
PROOFS: dict[str, str] = {
    "good": proof(),
    "by P-384": proof(key="p384", algorithm="ES384"),
    "by RSA": proof(key="rsa", algorithm="PS256"),
    "of 16 KiB": DEFECTS["too large"][1],
    "none": "x",
    "with a long htu": proof(claims(htu="https://" + "ü" * 500 + ".example/" + "%61" * 1000)),
    "with a private key": proof(head=header(jwk=jwk(d="AA"))),
    "signed by another key": proof(signature=bytes(64)),
}

KEYS = mint.jwks("ed25519")


def _outcome(run: Any) -> str | None:
    try:
        run()
    except ww.VerificationError as error:
        return error.code.value if error.scheme == "DPoP" else f"{error.code.value} by {error.scheme}"
    return None


def _headers(token: str, text: str) -> dict[str, str]:
    return {"Authorization": f"DPoP {token}", "DPoP": text}


def _verdicts(token: str, text: str, **requirements: Any) -> set[str | None]:
    """Return the codes from every function that takes a token with an unverified proof."""
    request: dict[str, Any] = {
        "method": METHOD,
        "uri": URI,
        "headers": {"Authorization": f"DPoP {token}", "DPoP": text},
    }
    found: set[str | None] = set()
    for cache in (None, ww.TokenCache(max_bytes=1 << 20)):
        with ww.Verifier(
            [ww.Issuer(mint.ISSUER, jwks=KEYS)],
            audience=mint.AUDIENCE,
            clock=lambda: NOW,
            token_cache=cache,
            dpop=DpopVerifier(replay=None),
            **requirements,
        ) as verifier:
            for _ in range(2):
                found.add(_outcome(lambda own=verifier: own.verify_request(**request)))
            found.add(_outcome(lambda own=verifier: asyncio.run(own.verify_request_async(**request))))
    policy = ww.Policy(issuer=mint.ISSUER, audience=mint.AUDIENCE, **requirements)
    unverified = DpopVerifier().unverified(text, method=METHOD, uri=URI, now=NOW)
    for options in KEY_OPTIONS:
        keys = ww.KeySet.from_json(KEYS, **options._asdict())
        try:
            _kernel.verify_request(token, keys, policy, NOW, unverified)
            found.add(None)
        except ww.VerificationError as error:
            found.add(error.code.value)
    return found


@pytest.mark.parametrize("name", INVALID_TOKENS)
def test_an_invalid_token_is_reported_whatever_its_proof(name: str) -> None:
    code, token = INVALID_TOKENS[name]
    verdicts = {which: _verdicts(token, text, **order_cases.POLICY) for which, text in PROOFS.items()}
    assert verdicts == {which: {code} for which in PROOFS}


def _owner(text: str) -> str:
    """Return the thumbprint of the key in a proof, or a test key's if there is none."""
    try:
        head = _kernel_header(text)
        return ww.thumbprint(head["jwk"])
    except (ValueError, KeyError, TypeError):
        return proofs.jkt()


def _kernel_header(text: str) -> dict[str, Any]:
    import json

    return json.loads(mint.unb64(text.split(".", maxsplit=1)[0]))  # type: ignore[no-any-return]  # what a proof's header is


#: Spaces around a header's value are not part of it.
_IN_A_HEADER = {name: case for name, case in DEFECTS.items() if case[1] == case[1].strip(" \t")}


def test_with_a_valid_token_every_defect_of_a_proof_has_its_verdict() -> None:
    """The table of a proof alone, made with the key that the token is bound to."""
    found = {
        name: _verdicts(mint.token(mint.claims(cnf={"jkt": _owner(text)})), text)
        for name, (_, text) in _IN_A_HEADER.items()
    }
    assert found == {name: {code} for name, (code, _) in _IN_A_HEADER.items()}


@pytest.mark.parametrize("confirmation", [{"jkt": proofs.jkt()}, {"jwk": jwk()}, {"jkt": proofs.jkt(), "jwk": jwk()}])
def test_a_valid_token_with_its_proof(confirmation: dict[str, Any]) -> None:
    token = mint.token(mint.claims(cnf=confirmation))
    assert _verdicts(token, proof(claims(ath=proofs.ath(token)))) == {None}
    assert _verdicts(token, proof()) == {"dpop_missing_claim"}
    assert _verdicts(token, proof(claims(ath=proofs.ath("another")))) == {"dpop_wrong_access_token"}
    # With another key: nothing else is checked.
    for other in (proof(key="ed25519", algorithm="EdDSA"), proof(head=header(jwk=jwk("p256-b")), signature=bytes(64))):
        assert _verdicts(token, other) == {"dpop_key_mismatch"}


def test_a_token_that_names_two_keys_is_bound_to_neither() -> None:
    token = mint.token(mint.claims(cnf={"jkt": proofs.jkt(), "jwk": jwk("ed25519")}))
    for key, algorithm in (("p256", "ES256"), ("ed25519", "EdDSA")):
        text = proof(claims(ath=proofs.ath(token)), key=key, algorithm=algorithm)
        assert _verdicts(token, text) == {"dpop_key_mismatch"}


def test_a_valid_token_is_cached_whatever_its_proof() -> None:
    cache = ww.TokenCache(max_bytes=1 << 20)
    token = proofs.bound_token()
    with ww.Verifier([ww.Issuer(mint.ISSUER, jwks=KEYS)], audience=mint.AUDIENCE, token_cache=cache) as verifier:
        for count, text in enumerate((proof(), "x", proof(claims(ath=proofs.ath(token))))):
            headers = {"Authorization": f"DPoP {token}", "DPoP": text}
            code = _outcome(
                lambda given=headers: verifier.verify_request(method=METHOD, uri=URI, headers=given, now=NOW)
            )
            assert (code is None) == (count == 2)
            assert (cache.stats().misses, cache.stats().hits) == (1, count)
        # Its binding is still checked each time.
        for headers in ({"Authorization": f"Bearer {token}"}, {"Authorization": f"DPoP {token}", "DPoP": "x"}):
            with pytest.raises(ww.VerificationError):
                verifier.verify_request(method=METHOD, uri=URI, headers=headers, now=NOW)


def test_an_unverified_proof_is_no_proof() -> None:
    token = proofs.bound_token()
    unverified = DpopVerifier().unverified(proof(claims(ath=proofs.ath(token))), method=METHOD, uri=URI, now=NOW)
    assert repr(unverified) == "UnverifiedProof()"
    with pytest.raises(TypeError):
        ww.verify(token, ww.KeySet.from_json(KEYS), ww.Policy(), now=NOW, proof=unverified)  # type: ignore[arg-type]


@pytest.mark.parametrize("mistake", [{"method": ""}, {"uri": "/orders"}, {"uri": "wss://api.example/"}])
def test_a_callers_mistake_is_one_whatever_the_token(mistake: dict[str, str]) -> None:
    with ww.Verifier([ww.Issuer(mint.ISSUER, jwks=KEYS)], audience=mint.AUDIENCE) as verifier:
        for token in (proofs.bound_token(), "abc"):
            request: dict[str, Any] = {"method": METHOD, "uri": URI, **mistake}
            with pytest.raises(ValueError, match="uri"):
                verifier.verify_request(headers={"Authorization": f"DPoP {token}", "DPoP": proof()}, now=NOW, **request)


#: A key gets its table after eight uses, so that the number of tables shows whether a key was used.
_COUNT = """
import os, sys, time
import watchword as ww
from watchword.jwks.memory import MemorySource
from watchword.testing import LocalIssuer

USES = 8
ww.tables.configure(after_uses=USES)
issuer = LocalIssuer("https://as.example")
kind = sys.argv[1]
prover, other = ww.dpop.DpopProver("ES256"), ww.dpop.DpopProver("ES256")
keys = MemorySource(ww.KeySet.from_json(issuer.jwks(), prepare="never"))
verifier = ww.Verifier(
    [ww.Issuer("https://as.example", source=keys)],
    audience=ww.ANY_AUDIENCE,
    token_cache=ww.TokenCache(max_bytes=1 << 20) if len(sys.argv) > 2 else None,
)
URI = "https://api.example/"
valid = issuer.mint(cnf={"jkt": prover.jkt})
tokens = {
    "valid": valid,
    "forged": valid[:-8] + "AAAAAAAA",
    "expired": issuer.mint(cnf={"jkt": prover.jkt}, exp=1),
    "malformed": "abc",
    "not bound": issuer.mint(),
    "bound to another": issuer.mint(cnf={"jkt": other.jkt}),
}

def send(token, times):
    for _ in range(times):
        headers = {"Authorization": f"DPoP {token}", "DPoP": prover.proof("GET", URI, token)}
        try:
            verifier.verify_request(method="GET", uri=URI, headers=headers)
        except ww.VerificationError:
            pass

send(tokens[kind], 10 * USES)
# Tables are built by a thread that ends when all requested ones are built.
until = time.monotonic() + 60
while len(os.listdir("/proc/self/task")) > 1:
    assert time.monotonic() < until
    time.sleep(0.01)
print(ww.tables.stats().built)
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux lists a process's threads")
@pytest.mark.parametrize("cache", [(), ("cached",)], ids=["", "cached"])
@pytest.mark.parametrize("kind", ["valid", "forged", "expired", "malformed", "not bound", "bound to another"])
def test_no_unknown_key_is_ever_used(kind: str, cache: tuple[str, ...]) -> None:
    """Counted, not timed: a key gets its table after eight uses, and eighty requests must build none."""
    done = subprocess.run(
        [sys.executable, "-c", _COUNT, kind, *cache], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stderr == ""
    assert done.stdout == ("1\n" if kind == "valid" else "0\n")
