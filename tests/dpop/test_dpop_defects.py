"""One defect at a time, in every member of a proof: each has its own code."""

from __future__ import annotations

import itertools
from typing import Any

import mint
import proofs
import pytest
from proofs import NOW, claims, code_of, header, jwk, proof

import watchword as ww

OMIT = mint.OMIT

GOOD = {
    "ES256": proof(),
    "EdDSA": proof(key="ed25519", algorithm="EdDSA"),
    "Ed25519": proof(key="ed25519", algorithm="Ed25519"),
    "RS256": proof(key="rsa", algorithm="RS256"),
    "PS256": proof(key="rsa", algorithm="PS256"),
    "typ in capitals": proof(head=header(typ="DPOP+JWT")),
    "typ as a whole media type": proof(head=header(typ="application/dpop+jwt")),
    "a kid, which is not looked at": proof(head=header(kid="anything")),
    "members of WebCrypto": proof(head=header(jwk=jwk(key_ops=["verify"], ext=True))),
    "use and alg": proof(head=header(jwk=jwk(use="sig", alg="ES256"))),
    "iat with a fraction": proof(claims(iat=NOW - 0.5)),
    "other claims": proof(claims(iss="me", aud="you", sub=1)),
    "exp ahead, nbf behind": proof(claims(exp=NOW + 1, nbf=NOW - 1)),
    "ath without a token": proof(claims(ath=proofs.ath("any"))),
    "a nonce that nobody asked for": proof(claims(nonce="any")),
    "exactly as old as allowed": proof(claims(iat=NOW - 60)),
    "exactly as far ahead as allowed": proof(claims(iat=NOW + 5)),
}

_PRIVATE = {name: mint.private_jwk(name) for name in ("p256", "ed25519", "rsa")}

#: RFC 9449's own key: one that nothing here is signed by.
OTHER = {
    "kty": "EC",
    "crv": "P-256",
    "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
    "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
}


def _header(**changes: Any) -> str:
    return proof(head=header(**changes))


def _claims(**changes: Any) -> str:
    return proof(claims(**changes))


DEFECTS: dict[str, tuple[str, str | bytes]] = {
    # Form.
    "empty": ("dpop_malformed_proof", ""),
    "two parts": ("dpop_malformed_proof", proof().rpartition(".")[0]),
    "four parts": ("dpop_malformed_proof", proof() + ".AA"),
    "five parts": ("dpop_malformed_proof", proof() + ".AA.AA"),
    "padding": ("dpop_malformed_proof", proof() + "="),
    "a space before": ("dpop_malformed_proof", " " + proof()),
    "a line end after": ("dpop_malformed_proof", proof() + "\n"),
    "not ASCII": ("dpop_malformed_proof", "é" + proof()),
    "a lone surrogate": ("dpop_malformed_proof", "\ud800" + proof()),
    "JSON serialisation": ("dpop_malformed_proof", '{"payload":""}'),
    "two proofs joined by a comma": ("dpop_several_proofs", f"{proof()}, {proof()}"),
    "a comma and nothing": ("dpop_several_proofs", proof() + ","),
    "too large": ("dpop_too_large", _claims(pad="x" * 20_000)),
    "header too large": ("dpop_too_large", _header(pad="x" * 5_000)),
    # Header.
    "header not JSON": ("dpop_malformed_proof", proof(head=b"{")),
    "header not an object": ("dpop_malformed_proof", proof(head=b"[]")),
    "header with a member twice": ("dpop_malformed_proof", proof(head=mint.with_member(header(), '"typ":"dpop+jwt"'))),
    "jwk with a member twice": (
        "dpop_malformed_proof",
        proof(head=mint.with_member(header(jwk=OMIT), '"jwk":' + mint.with_member(jwk(), '"x":"AA"').decode())),
    ),
    "crit": ("dpop_unsupported_critical_header", _header(crit=["x"], x=1)),
    "empty crit": ("dpop_unsupported_critical_header", _header(crit=[])),
    "b64": ("dpop_unsupported_critical_header", _header(b64=True)),
    "typ missing": ("dpop_wrong_type", _header(typ=OMIT)),
    "typ JWT": ("dpop_wrong_type", _header(typ="JWT")),
    "typ at+jwt": ("dpop_wrong_type", _header(typ="at+jwt")),
    "typ empty": ("dpop_wrong_type", _header(typ="")),
    "typ not a string": ("dpop_malformed_proof", _header(typ=1)),
    "alg missing": ("dpop_malformed_proof", _header(alg=OMIT)),
    "alg not a string": ("dpop_malformed_proof", _header(alg=["ES256"])),
    "alg none": ("dpop_algorithm_not_allowed", proof(head=header(alg="none"), signature=b"")),
    "alg NONE": ("dpop_algorithm_not_allowed", proof(head=header(alg="NONE"), signature=b"")),
    "alg HS256": ("dpop_algorithm_not_allowed", proof(head=header(alg="HS256"), key=b"secret", algorithm="HS256")),
    "alg unknown": ("dpop_algorithm_not_allowed", _header(alg="ES256K")),
    "alg in small letters": ("dpop_algorithm_not_allowed", _header(alg="es256")),
    "alg outside the list": ("dpop_algorithm_not_allowed", proof(key="rsa", algorithm="RS512")),
    "alg ES384, which nobody asked for": ("dpop_algorithm_not_allowed", proof(key="p384", algorithm="ES384")),
    "alg of another kind of key": ("dpop_algorithm_not_allowed", _header(alg="RS256")),
    # Key.
    "jwk missing": ("dpop_invalid_key", _header(jwk=OMIT)),
    "jwk null": ("dpop_invalid_key", _header(jwk=None)),
    "jwk a string": ("dpop_invalid_key", _header(jwk="key")),
    "jwk a list": ("dpop_invalid_key", _header(jwk=[jwk()])),
    "jwk empty": ("dpop_invalid_key", _header(jwk={})),
    "jwk oct": ("dpop_invalid_key", _header(jwk={"kty": "oct", "k": "AAAA"})),
    "jwk of an unknown type": ("dpop_invalid_key", _header(jwk=jwk(kty="XYZ"))),
    "crv missing": ("dpop_invalid_key", _header(jwk=jwk(crv=OMIT))),
    "crv another": ("dpop_invalid_key", _header(jwk=jwk(crv="P-384"))),
    "crv secp256k1": ("dpop_invalid_key", _header(jwk=jwk(crv="secp256k1"))),
    "x missing": ("dpop_invalid_key", _header(jwk=jwk(x=OMIT))),
    "x too long": ("dpop_invalid_key", _header(jwk=jwk(x=mint.b64(b"\0" + mint.unb64(jwk()["x"]))))),
    "y not base64url": ("dpop_invalid_key", _header(jwk=jwk(y="=="))),
    "a point off the curve": ("dpop_invalid_key", _header(jwk=jwk(y=jwk()["x"]))),
    "a small-order point": (
        "dpop_invalid_key",
        proof(head=header(alg="EdDSA", jwk=jwk("ed25519", x=mint.b64(bytes(32)))), key="ed25519", algorithm="EdDSA"),
    ),
    "use enc": ("dpop_invalid_key", _header(jwk=jwk(use="enc"))),
    "key_ops without verify": ("dpop_invalid_key", _header(jwk=jwk(key_ops=["sign"]))),
    "alg of the key another": ("dpop_invalid_key", _header(jwk=jwk(alg="ES384"))),
    "RSA exponent 1": (
        "dpop_invalid_key",
        proof(head=header(alg="RS256", jwk=jwk("rsa", e="AQ")), key="rsa", algorithm="RS256"),
    ),
    # Allowed in a key set, but not in the key of a proof, which the sender wrote.
    **{
        f"RSA key with {name}": (
            "dpop_invalid_key",
            proof(head=header(alg="RS256", jwk=jwk("rsa", **changes)), key="rsa", algorithm="RS256"),
        )
        for name, changes in {
            "a zero before the modulus": {"n": mint.b64(b"\x00" + mint.unb64(jwk("rsa")["n"]))},
            "a zero before the exponent": {"e": "AAEAAQ"},
            "use jwt-svid": {"use": "jwt-svid"},
            "use null": {"use": None},
            "alg null": {"alg": None},
            "kid null": {"kid": None},
            "key_ops null": {"key_ops": None},
        }.items()
    },
    "a private member that is null": (
        "dpop_private_key",
        proof(head=header(alg="RS256", jwk=jwk("rsa", d=None)), key="rsa", algorithm="RS256"),
    ),
    **{
        f"RSA exponent {exponent:#x}": (
            "dpop_invalid_key",
            proof(
                head=header(alg="RS256", jwk=jwk("rsa", e=mint.b64(exponent.to_bytes(5, "big").lstrip(b"\0")))),
                key="rsa",
                algorithm="RS256",
            ),
        )
        for exponent in (5, 17, 0xFFFF, 0x10003, 0x100000001, 0x1FFFFFFFF)
    },
    "RSA modulus above 4096 bits": (
        "dpop_invalid_key",
        proof(head=header(alg="RS256", jwk=jwk("rsa", n=mint.b64(b"\xff" * 513))), key="rsa", algorithm="RS256"),
    ),
    **{
        f"private member {member} of {name}": (
            "dpop_private_key",
            proof(
                head=header(name, algorithm, jwk=jwk(name, **{member: private.get(member, "AA")})),
                key=name,
                algorithm=algorithm,
            ),
        )
        for (name, private), algorithm in zip(_PRIVATE.items(), ("ES256", "EdDSA", "RS256"), strict=True)
        for member in ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
    },
    # Signature.
    "signed by another key": ("dpop_invalid_signature", proof(head=header(jwk=OTHER))),
    "signature empty": ("dpop_invalid_signature", proof(signature=b"")),
    "signature zero": ("dpop_invalid_signature", proof(signature=bytes(64))),
    "claims of another proof": (
        "dpop_invalid_signature",
        ".".join([proof().split(".")[0], proof(claims(jti="2")).split(".")[1], proof().split(".")[2]]),
    ),
    # Claims.
    "claims not JSON": ("dpop_malformed_claims", proof(b"hello")),
    "claims not an object": ("dpop_malformed_claims", proof(b"[]")),
    "claims empty": ("dpop_malformed_claims", proof(b"")),
    "a claim twice": ("dpop_malformed_claims", proof(mint.with_member(claims(), '"htm":"GET"'))),
    **{f"{name} missing": ("dpop_missing_claim", _claims(**{name: OMIT})) for name in ("jti", "htm", "htu", "iat")},
    **{
        f"{name} {value!r}": ("dpop_malformed_claims", _claims(**{name: value}))
        for name in ("jti", "htm", "htu", "nonce", "ath")
        for value in (1, None, ["x"], {}, True)
    },
    **{
        f"{name} {value!r}": ("dpop_malformed_claims", _claims(**{name: value}))
        for name in ("iat", "exp", "nbf")
        for value in (str(NOW), None, [NOW], True, -1, NOW * 1000)
    },
    "iat 1e400": ("dpop_malformed_claims", proof(mint.with_member(claims(iat=OMIT), '"iat":1e400'))),
    "jti empty": ("dpop_malformed_claims", _claims(jti="")),
    "htm another": ("dpop_wrong_method", _claims(htm="GET")),
    "htm in small letters": ("dpop_wrong_method", _claims(htm="post")),
    "htm empty": ("dpop_wrong_method", _claims(htm="")),
    "htu another path": ("dpop_wrong_uri", _claims(htu="https://api.example/other")),
    "htu another host": ("dpop_wrong_uri", _claims(htu="https://api.example.evil/orders")),
    "htu another scheme": ("dpop_wrong_uri", _claims(htu="http://api.example/orders")),
    "htu another port": ("dpop_wrong_uri", _claims(htu="https://api.example:8443/orders")),
    "htu with a slash more": ("dpop_wrong_uri", _claims(htu="https://api.example/orders/")),
    "htu in other letters": ("dpop_wrong_uri", _claims(htu="https://api.example/Orders")),
    "htu relative": ("dpop_wrong_uri", _claims(htu="/orders")),
    "htu empty": ("dpop_wrong_uri", _claims(htu="")),
    "iat too far back": ("dpop_expired", _claims(iat=NOW - 60.001)),
    "iat ages ago": ("dpop_expired", _claims(iat=0)),
    "iat too far ahead": ("dpop_issued_in_future", _claims(iat=NOW + 5.001)),
    "exp passed": ("dpop_expired", _claims(exp=NOW - 5)),
    "nbf ahead": ("dpop_issued_in_future", _claims(nbf=NOW + 6)),
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_good_proofs(text: str) -> None:
    assert code_of(text) is None
    assert code_of(text.encode()) is None


@pytest.mark.parametrize(("code", "text"), DEFECTS.values(), ids=DEFECTS)
def test_each_defect_has_its_verdict(code: str, text: str) -> None:
    assert code_of(text) == code


def test_each_code_of_a_proof_is_there() -> None:
    of_requests = {"dpop_proof_required", "dpop_missing_proof", "dpop_unbound_token", "dpop_key_mismatch"}
    of_requests |= {"dpop_nonce_required", "dpop_wrong_nonce", "dpop_wrong_access_token"}
    of_requests |= {"dpop_bound_token_required"}
    of_memory = {"dpop_replayed", "dpop_replay_unavailable", "dpop_too_many_proofs"}
    codes = {code.value for code in ww.ErrorCode if code.value.startswith("dpop_")}
    assert {code for code, _ in DEFECTS.values()} == codes - of_requests - of_memory


def test_the_earlier_check_names_the_verdict() -> None:
    later = {"htm": "GET", "htu": "https://other.example/", "iat": 0}
    for count in range(len(later) + 1):
        for names in itertools.combinations(later, count):
            expected = {"htm": "dpop_wrong_method", "htu": "dpop_wrong_uri", "iat": "dpop_expired"}
            first = next((expected[name] for name in later if name in names), None)
            assert code_of(_claims(**{name: later[name] for name in names})) == first
    # If the signature of a proof is invalid, nothing else is reported.
    assert code_of(proof(claims(iat=0), signature=bytes(64))) == "dpop_invalid_signature"


@pytest.mark.parametrize(
    ("claimed", "nonce", "code"),
    [
        (OMIT, "n-1", "dpop_nonce_required"),
        ("n-2", "n-1", "dpop_wrong_nonce"),
        ("", "n-1", "dpop_wrong_nonce"),
        ("n-1", "n-1", None),
        ("n-1", ["n-0", "n-1"], None),
        ("n-1", [], "dpop_wrong_nonce"),
    ],
)
def test_nonce(claimed: Any, nonce: Any, code: str | None) -> None:
    assert code_of(_claims(nonce=claimed), nonce=nonce) == code


@pytest.mark.parametrize(
    ("claimed", "code"),
    [
        (OMIT, "dpop_missing_claim"),
        (proofs.ath("another"), "dpop_wrong_access_token"),
        ("", "dpop_wrong_access_token"),
        (proofs.ath("the token") + "=", "dpop_wrong_access_token"),
        (proofs.ath("the token"), None),
    ],
)
def test_access_token_hash(claimed: Any, code: str | None) -> None:
    assert code_of(_claims(ath=claimed), access_token="the token") == code
    assert code_of(_claims(ath=claimed), access_token=b"the token") == code


def test_expected_thumbprint() -> None:
    assert code_of(proof(), expected_jkt=proofs.jkt()) is None
    for other in (proofs.jkt("ed25519"), "", proofs.jkt() + "="):
        assert code_of(proof(), expected_jkt=other) == "dpop_key_mismatch"


def test_a_proof_by_another_key_is_rejected_before_that_key_is_used() -> None:
    forged = proof(signature=bytes(64))
    assert code_of(forged) == "dpop_invalid_signature"
    assert code_of(forged, expected_jkt=proofs.jkt("ed25519")) == "dpop_key_mismatch"
    # Not even whether it is a point of its curve is found out.
    off = _header(jwk=jwk(y=jwk()["x"]))
    assert (code_of(off), code_of(off, expected_jkt=proofs.jkt())) == ("dpop_invalid_key", "dpop_key_mismatch")


def test_es384_is_verified_if_it_is_enabled() -> None:
    text = proof(key="p384", algorithm="ES384")
    assert code_of(text, algorithms=(*ww.dpop.DPOP_ALGORITHMS, "ES384")) is None
    assert "ES384" not in ww.dpop.DpopVerifier().algorithms


def test_rsa_keys_of_the_largest_size_and_of_both_exponents() -> None:
    # Nobody knows their factors, so that the signature is what is rejected.
    for e in ("AQAB", "Aw"):
        key = jwk("rsa", n=mint.b64(b"\xff" * 511 + b"\xfd"), e=e)
        assert code_of(proof(head=header(alg="RS256", jwk=key), signature=b"\1" * 512)) == "dpop_invalid_signature"


def test_a_proof_is_at_most_8_kib_long() -> None:
    base = "https://api.example/" + "a" * 5000
    for length in (8192, 8193, 12_000):
        # Four characters for each three of the URI, so the last few are up to the header.
        text = next(
            made
            for kid in ("", "x", "xx", "xxx", "xxxx")
            for more in range(5000)
            if len(made := proof(claims(htu=base + "a" * more), header(kid=kid))) == length
        )
        assert code_of(text, uri=base) == ("dpop_wrong_uri" if length <= 8192 else "dpop_too_large")


def test_windows() -> None:
    for max_age, leeway, iat, code in (
        (0, 0, NOW, None),
        (0, 0, NOW - 1, "dpop_expired"),
        (0, 0, NOW + 1, "dpop_issued_in_future"),
        (300, 0, NOW - 300, None),
        (300, 300, NOW + 300, None),
    ):
        assert code_of(_claims(iat=iat), max_age=max_age, leeway=leeway) == code


@pytest.mark.parametrize(
    "mistake",
    [
        {"method": ""},
        {"uri": "/orders"},
        {"uri": "wss://api.example/"},
        {"max_age": -1},
        {"leeway": float("nan")},
        {"algorithms": ()},
        {"algorithms": ("none",)},
        {"algorithms": ("HS256",)},
        {"now": float("inf")},
    ],
)
def test_a_callers_mistake_is_a_value_error(mistake: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        ww.dpop.verify_proof(proof(), **{"method": "POST", "uri": proofs.URI, "now": NOW, **mistake})


@pytest.mark.parametrize("mistake", [{"method": None}, {"uri": None}, {"uri": b"https://a.example"}, {"nonce": 1}])
def test_a_callers_mistake_is_a_type_error(mistake: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        ww.dpop.verify_proof(proof(), **{"method": "POST", "uri": proofs.URI, "now": NOW, **mistake})


def test_a_proof_cannot_be_made_up_or_changed() -> None:
    verified = ww.dpop.verify_proof(proof(), method="POST", uri=proofs.URI, now=NOW)
    with pytest.raises(TypeError):
        ww.DpopProof()  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        verified.jkt = "x"  # type: ignore[misc]
    assert repr(verified) == "DpopProof(algorithm='ES256')"
    assert len(verified.replay_id) == 32
    assert verified.expires_at == NOW + 65


def test_errors_quote_no_part_of_the_proof() -> None:
    secret = "s3cret-value-of-the-sender"
    for text in (
        _claims(jti=secret, iat=0),
        _claims(htm=secret),
        _claims(htu=f"https://{secret}.example/"),
        _header(typ=secret),
        _header(alg=secret),
        _header(jwk=jwk(kty=secret)),
    ):
        with pytest.raises(ww.DpopError) as caught:
            ww.dpop.verify_proof(text, method="POST", uri=proofs.URI, now=NOW)
        assert secret not in f"{caught.value!s}{caught.value!r}{caught.value.www_authenticate()}"
