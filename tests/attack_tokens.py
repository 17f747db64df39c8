"""For each row of the list of attacks, its bad tokens: every provider's function must reject them."""

from __future__ import annotations

from watchword.testing import Defect

D = Defect

#: The beginning of a row's first cell -> the tokens.
ROWS: dict[str, tuple[Defect, ...]] = {
    "alg none, any case": (D.ALG_NONE, D.ALG_NONE_CAPITALS, D.ALG_NONE_MIXED_CASE, D.ALG_NONE_SIGNED),
    "public key as HMAC secret": (D.HMAC_WITH_PUBLIC_PEM, D.HMAC_WITH_PUBLIC_JWK),
    "algorithm taken from the header": (D.ALG_OF_ANOTHER_KEY,),
    "allow-list bypass through key-bound alg": (D.ALG_OF_ANOTHER_KEY, D.ALG_MISSING, D.ALG_NOT_A_STRING),
    "embedded `jwk` trusted": (D.EMBEDDED_JWK, D.ATTACKERS_KEY),
    "`jku`/`x5u` fetch": (D.JKU, D.JKU_WITH_UNKNOWN_KEY_ID),
    "unknown `crit`": (D.CRIT_UNKNOWN,),
    "empty `crit`": (D.CRIT_EMPTY,),
    "`b64:false` with or without crit": (D.B64_FALSE,),
    "psychic signature r=s=0": (D.SIGNATURE_ZERO, D.SIGNATURE_LENGTHENED, D.SIGNATURE_TRUNCATED, D.SIGNATURE_DER),
    "type confusion": (
        *(D.EXP_STRING, D.EXP_BOOLEAN, D.EXP_NULL, D.EXP_ARRAY, D.EXP_NEGATIVE, D.EXP_NAN, D.EXP_INFINITE),
        *(D.EXP_TOO_FAR, D.ISS_ARRAY, D.SUB_NUMBER, D.AUD_NUMBER, D.CNF_NOT_AN_OBJECT),
    ),
    "iss by substring/prefix": (D.ISSUER_WITH_SLASH, D.WRONG_ISSUER, D.AUDIENCE_PREFIX, D.AUD_EMPTY),
    "duplicate JSON members": (D.HEADER_MEMBER_TWICE, D.CLAIM_TWICE),
    "non-canonical base64": (
        *(D.PADDING, D.STANDARD_ALPHABET, D.NON_CANONICAL_PAYLOAD, D.NON_CANONICAL_SIGNATURE),
        *(D.LEADING_SPACE, D.TRAILING_NEWLINE, D.NEWLINE_INSIDE, D.NON_ASCII),
    ),
    "BOM, invalid UTF-8, lone surrogates": (
        *(D.HEADER_BOM, D.HEADER_LONE_SURROGATE, D.HEADER_TRAILING_BYTES, D.PAYLOAD_BOM, D.PAYLOAD_NOT_UTF8),
        *(D.CLAIM_LONE_SURROGATE, D.PAYLOAD_TRAILING_BYTES),
    ),
    "4 segments, empty segments": (
        *(D.TWO_PARTS, D.FOUR_PARTS, D.EMPTY_TOKEN, D.EMPTY_HEADER, D.EMPTY_PAYLOAD, D.SIGNATURE_EMPTY),
        D.JSON_SERIALISATION,
    ),
    "huge header/segment": (D.TOKEN_TOO_LARGE, D.HEADER_TOO_LARGE),
    "deep nesting": (D.HEADER_TOO_DEEP, D.CLAIMS_TOO_DEEP),
    "JWE bomb": (D.FIVE_PARTS,),
    "typ confusion": (D.DPOP_PROOF, D.LOGOUT_TOKEN),
}

#: The beginning of a row's first cell -> why it has no token.
ELSEWHERE: dict[str, str] = {
    "ES256 with wrong curve or off-curve key": "about keys, which the kernel checks when it reads them: tests/attacks",
    "S >= L, small-order A/R": "about signatures that no correct signer makes: tests/attacks",
    "RSA < 2048, e = 1": "about keys: tests/attacks",
    "key `use`/`key_ops`/`alg` mismatch": "about keys: tests/attacks",
    "unknown-kid flood": "a property of the key sources: tests/jwks",
    "token-cache key truncation": "providers keep no tokens",
    "DPoP": "about proofs: tests/dpop, and each provider's own",
    "ReDoS in claim patterns": "there are no patterns over claims",
    "act: not an object": "about delegation: tests/delegation",
}
