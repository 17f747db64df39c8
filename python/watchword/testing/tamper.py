"""How each defect is made: one function per defect, which changes a valid draft."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

from watchword import base64url
from watchword.holder import ecdsa_to_der
from watchword.testing.client_certificate import thumbprint_of
from watchword.testing.defects import Defect
from watchword.testing.draft import Draft, to_json, with_raw_member
from watchword.testing.signing_key import SigningKey, attackers_key, is_ecdsa

Tampering = Callable[[Draft], None]

_ELSEWHERE = "https://elsewhere.example"
_HOUR = 3600


def tamper(defect: Defect, draft: Draft) -> None:
    """Change ``draft`` so that it has ``defect``."""
    _TAMPERINGS[defect](draft)


def can_have(defect: Defect, key: SigningKey) -> bool:
    """Return whether a token of this key can have the defect.

    Only ECDSA signatures have another form in DER, and those of ES384 leave no unused bits in base64url.
    """
    if defect is Defect.SIGNATURE_DER:
        return is_ecdsa(key.algorithm)
    return defect is not Defect.NON_CANONICAL_SIGNATURE or key.algorithm != "ES384"


def _claims(**changes: object) -> Tampering:
    return lambda draft: draft.claims.update(changes)


def _times(**offsets: int) -> Tampering:
    return lambda draft: draft.claims.update({name: draft.now + offset for name, offset in offsets.items()})


def _no_claim(name: str) -> Tampering:
    return lambda draft: _do(draft.claims.pop(name))


def _raw_claim(name: str, text: str) -> Tampering:
    def change(draft: Draft) -> None:
        draft.claims.pop(name, None)
        draft.payload = with_raw_member(draft.claims, f'"{name}":{text}')

    return change


def _payload(make: Callable[[Draft], bytes]) -> Tampering:
    return lambda draft: setattr(draft, "payload", make(draft))


def _header(**changes: object) -> Tampering:
    return lambda draft: draft.header.update(changes)


def _header_text(make: Callable[[Draft], bytes]) -> Tampering:
    return lambda draft: setattr(draft, "header_text", make(draft))


def _reshaped(reshape: Callable[[str, str, str], str]) -> Tampering:
    return lambda draft: setattr(draft, "reshape", reshape)


def _resigned(change: Callable[[bytes], bytes], then: Tampering | None = None) -> Tampering:
    """Change the valid signature."""

    def tampering(draft: Draft) -> None:
        draft.sign = lambda data: change(draft.key.sign(data))
        if then is not None:
            then(draft)

    return tampering


def _unsigned(alg: str) -> Tampering:
    def tampering(draft: Draft) -> None:
        draft.header["alg"] = alg
        draft.sign = lambda _: b""

    return tampering


def _hmac_with(secret: Callable[[SigningKey], bytes]) -> Tampering:
    def tampering(draft: Draft) -> None:
        draft.header["alg"] = "HS256"
        draft.sign = lambda data: hmac.new(secret(draft.key), data, hashlib.sha256).digest()

    return tampering


def _signed_by_an_attacker(header: Callable[[SigningKey], dict[str, Any]]) -> Tampering:
    def tampering(draft: Draft) -> None:
        attacker = attackers_key(draft.key.algorithm, draft.key.key_id)
        draft.header.update(header(attacker))
        draft.sign = attacker.sign

    return tampering


def _alg_of_another_key(draft: Draft) -> None:
    draft.header["alg"] = "EdDSA" if draft.key.algorithm == "ES256" else "ES256"


def _deep(depth: int) -> list[object]:
    nested: list[object] = []
    for _ in range(depth):
        nested = [nested]
    return nested


def _flip(data: bytes) -> bytes:
    # Not the first byte, which has flags in some forms: the signature itself must be found invalid.
    return data[:7] + bytes([data[7] ^ 1]) + data[8:]


def _other_last_character(text: str) -> str:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    if len(text) % 4 == 0:
        raise ValueError("the last character has no unused bits")
    # In canonical text the unused bits are zero; a lenient decoder ignores them.
    return text[:-1] + alphabet[alphabet.index(text[-1]) | 1]


def _non_canonical_payload(draft: Draft) -> None:
    # Signed in this form: a decoder that ignores unused bits accepts the token.
    while len(to_json(draft.claims)) % 3 == 0:
        draft.claims["pad"] = draft.claims.get("pad", "") + "x"
    draft.encode_payload = lambda payload: _other_last_character(base64url.encode(payload))


def _standard_alphabet(draft: Draft) -> None:
    # Two characters that base64url writes as - and _; the result depends on the position, so try all three.
    for shift in range(3):
        draft.claims["text"] = "x" * shift + "???>>>"
        if set("-_") <= set(base64url.encode(to_json(draft.claims))):
            break
    draft.encode_payload = lambda payload: base64url.encode(payload).replace("-", "+").replace("_", "/")


def _json_serialisation(head: str, payload: str, signature: str) -> str:
    return json.dumps({"payload": payload, "protected": head, "signature": signature}, separators=(",", ":"))


def _changed_claims(draft: Draft) -> None:
    forged = base64url.encode(to_json({**draft.claims, "sub": "root"}))
    draft.reshape = lambda head, _payload, signature: f"{head}.{forged}.{signature}"


def _do(_: object) -> None:
    return None


_D = Defect
_TAMPERINGS: dict[Defect, Tampering] = {
    _D.TOKEN_TOO_LARGE: _claims(pad="x" * 20_000),
    _D.HEADER_TOO_LARGE: _header(pad="x" * 5_000),
    _D.EMPTY_TOKEN: _reshaped(lambda _head, _payload, _signature: ""),
    _D.TWO_PARTS: _reshaped(lambda head, payload, _: f"{head}.{payload}"),
    _D.FOUR_PARTS: _reshaped(lambda head, payload, signature: f"{head}.{payload}.{signature}.{signature}"),
    _D.FIVE_PARTS: _reshaped(lambda head, payload, signature: f"{head}.{payload}.{signature}.{payload}.{signature}"),
    _D.JSON_SERIALISATION: _reshaped(_json_serialisation),
    _D.BEARER_PREFIX: _reshaped(lambda head, payload, signature: f"Bearer {head}.{payload}.{signature}"),
    _D.LEADING_SPACE: _reshaped(lambda head, payload, signature: f" {head}.{payload}.{signature}"),
    _D.TRAILING_NEWLINE: _reshaped(lambda head, payload, signature: f"{head}.{payload}.{signature}\n"),
    _D.NEWLINE_INSIDE: _reshaped(lambda head, payload, signature: f"{head}.{payload[:40]}\n{payload[40:]}.{signature}"),
    _D.NON_ASCII: _reshaped(lambda head, payload, signature: f"{head}.{payload}.{signature}é"),
    _D.PADDING: _reshaped(lambda head, payload, signature: f"{head}.{payload}.{signature}" + "=" * 2),
    _D.STANDARD_ALPHABET: _standard_alphabet,
    _D.NON_CANONICAL_PAYLOAD: _non_canonical_payload,
    _D.NON_CANONICAL_SIGNATURE: _reshaped(
        lambda head, payload, signature: f"{head}.{payload}.{_other_last_character(signature)}"
    ),
    _D.EMPTY_HEADER: _header_text(lambda _: b""),
    _D.HEADER_NOT_AN_OBJECT: _header_text(lambda draft: json.dumps([draft.header]).encode()),
    _D.HEADER_MEMBER_TWICE: _header_text(
        lambda draft: with_raw_member(draft.header, f'"kid":{json.dumps(draft.key.key_id)}')
    ),
    _D.HEADER_BOM: _header_text(lambda draft: b"\xef\xbb\xbf" + to_json(draft.header)),
    _D.HEADER_TRAILING_BYTES: _header_text(lambda draft: to_json(draft.header) + b"{}"),
    _D.HEADER_LONE_SURROGATE: _header_text(lambda draft: with_raw_member(draft.header, r'"x":"\ud800"')),
    _D.HEADER_TOO_DEEP: _header(x=_deep(100)),
    _D.ALG_MISSING: lambda draft: _do(draft.header.pop("alg")),
    _D.ALG_NOT_A_STRING: _header(alg=1),
    _D.KID_NOT_A_STRING: _header(kid=1),
    _D.CRIT_UNKNOWN: _header(crit=["urn:example:unknown"], **{"urn:example:unknown": True}),
    _D.CRIT_EMPTY: _header(crit=[]),
    _D.B64_FALSE: _header(b64=False),
    _D.DPOP_PROOF: _header(typ="dpop+jwt"),
    _D.LOGOUT_TOKEN: _header(typ="logout+jwt"),
    _D.ALG_NONE: _unsigned("none"),
    _D.ALG_NONE_CAPITALS: _unsigned("NONE"),
    _D.ALG_NONE_MIXED_CASE: _unsigned("nOnE"),
    _D.ALG_NONE_SIGNED: _header(alg="none"),
    _D.HMAC_WITH_PUBLIC_PEM: _hmac_with(SigningKey.public_pem),
    _D.HMAC_WITH_PUBLIC_JWK: _hmac_with(lambda key: to_json(key.public_jwk())),
    _D.ALG_OF_ANOTHER_KEY: _alg_of_another_key,
    _D.UNKNOWN_KEY_ID: _header(kid="no-such-key"),
    _D.JKU_WITH_UNKNOWN_KEY_ID: _signed_by_an_attacker(
        lambda _: {"kid": "no-such-key", "jku": f"{_ELSEWHERE}/jwks.json"}
    ),
    _D.ATTACKERS_KEY: _signed_by_an_attacker(lambda _: {}),
    _D.EMBEDDED_JWK: _signed_by_an_attacker(lambda key: {"jwk": key.public_jwk()}),
    _D.JKU: _signed_by_an_attacker(lambda _: {"jku": f"{_ELSEWHERE}/jwks.json"}),
    _D.CLAIMS_CHANGED: _changed_claims,
    _D.SIGNATURE_FLIPPED: _resigned(_flip),
    _D.SIGNATURE_TRUNCATED: _resigned(lambda signature: signature[:-1]),
    _D.SIGNATURE_LENGTHENED: _resigned(lambda signature: signature + b"\0"),
    _D.SIGNATURE_EMPTY: _resigned(lambda _: b""),
    _D.SIGNATURE_ZERO: _resigned(lambda signature: bytes(len(signature))),
    _D.SIGNATURE_DER: _resigned(ecdsa_to_der),
    _D.EXPIRED_AND_FORGED: _resigned(_flip, _times(iat=-2 * _HOUR, exp=-_HOUR)),
    _D.EMPTY_PAYLOAD: _payload(lambda _: b""),
    _D.PAYLOAD_NOT_AN_OBJECT: _payload(lambda draft: json.dumps([draft.claims]).encode()),
    _D.PAYLOAD_NOT_JSON: _payload(lambda _: b"hello"),
    _D.PAYLOAD_NOT_UTF8: _payload(lambda draft: to_json(draft.claims)[:-1] + b',"x":"\xff"}'),
    _D.PAYLOAD_BOM: _payload(lambda draft: b"\xef\xbb\xbf" + to_json(draft.claims)),
    _D.PAYLOAD_TRAILING_BYTES: _payload(lambda draft: to_json(draft.claims) + b"{}"),
    _D.CLAIM_TWICE: _payload(lambda draft: with_raw_member(draft.claims, '"sub":"root"')),
    _D.CLAIM_LONE_SURROGATE: _raw_claim("name", r'"\udc00"'),
    _D.CLAIMS_TOO_DEEP: _claims(x=_deep(100)),
    _D.EXP_STRING: lambda draft: draft.claims.update(exp=str(draft.claims["exp"])),
    _D.EXP_BOOLEAN: _claims(exp=True),
    _D.EXP_NULL: _claims(exp=None),
    _D.EXP_ARRAY: lambda draft: draft.claims.update(exp=[draft.claims["exp"]]),
    _D.EXP_NEGATIVE: _claims(exp=-1),
    _D.EXP_NAN: _raw_claim("exp", "NaN"),
    _D.EXP_INFINITE: _raw_claim("exp", "1e400"),
    _D.EXP_TOO_FAR: _raw_claim("exp", "253402300800"),
    _D.ISS_ARRAY: lambda draft: draft.claims.update(iss=[draft.claims["iss"]]),
    _D.SUB_NUMBER: _claims(sub=7),
    _D.AUD_NUMBER: _claims(aud=7),
    _D.AUD_EMPTY: _claims(aud=[]),
    _D.CNF_NOT_AN_OBJECT: _claims(cnf="jkt"),
    _D.EXPIRED: _times(iat=-2 * _HOUR, exp=-_HOUR),
    _D.NOT_YET_VALID: _times(nbf=_HOUR, exp=2 * _HOUR),
    _D.ISSUED_IN_FUTURE: _times(iat=_HOUR, exp=2 * _HOUR),
    _D.WRONG_ISSUER: _claims(iss=_ELSEWHERE),
    _D.ISSUER_WITH_SLASH: lambda draft: draft.claims.update(iss=f"{draft.claims['iss']}/"),
    _D.MISSING_ISSUER: _no_claim("iss"),
    _D.WRONG_AUDIENCE: _claims(aud=_ELSEWHERE),
    _D.AUDIENCE_PREFIX: lambda draft: draft.claims.update(aud=_first(draft.claims["aud"])[:-1]),
    _D.MISSING_AUDIENCE: _no_claim("aud"),
    _D.MISSING_EXP: _no_claim("exp"),
    _D.BOUND_OTHERWISE: _claims(cnf={"kid": "a key that nobody knows"}),
    _D.BOUND_TO_CERTIFICATE: _claims(cnf={"x5t#S256": thumbprint_of(b"a certificate that nobody has")}),
    _D.BOUND_TO_KEY: _claims(cnf={"jkt": base64url.encode(hashlib.sha256(b"a key that nobody has").digest())}),
}


def _first(audience: str | list[str]) -> str:
    return audience if isinstance(audience, str) else audience[0]
