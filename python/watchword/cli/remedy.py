"""What would have to change for a request that was rejected to pass."""

from __future__ import annotations

from watchword import VerificationError
from watchword.gate import Route

_REMEDIES = {
    "ambiguous_path": 'Send the path in its plain form, without "//", ".", "..", ";" and encoded separators.',
    "token_in_query": "Send the token in the Authorization header. It is in logs now: have it revoked.",
    "token_in_body": "Send the token in the Authorization header.",
    "missing_token": "Send the token as `Authorization: Bearer TOKEN`, or with a proof as `Authorization: DPoP TOKEN`.",
    "malformed_request": "Send one Authorization header, with one token after the scheme.",
    "dpop_missing_proof": "Send a proof in the DPoP header, made for this request (RFC 9449 section 4).",
    "dpop_several_proofs": "Send one DPoP header with one proof.",
    "wrong_issuer": "Get a token of a configured issuer, or add an [[issuers]] section for this one.",
    "wrong_type": "Send an access token, or add the type of these tokens to types.",
    "algorithm_not_allowed": "Have the issuer sign with an allowed algorithm, or change algorithms.",
    "unknown_key": "Compare the token's kid with `watchword keys ISSUER`: the token may be another issuer's.",
    "keys_unavailable": "Check that the issuer's keys can be fetched, or give them with --keys.",
    "invalid_signature": "Get a new token: this one was changed, or signed by somebody else.",
    "expired": "Get a new token, or use --at for a request that was sent earlier.",
    "not_yet_valid": "Wait, or compare the clocks of the issuer and of this machine.",
    "issued_in_future": "Compare the clocks of the issuer and of this machine, or raise leeway.",
    "wrong_audience": "Request a token for the configured audience, or change audience.",
    "certificate_required": "Connect with the certificate that the token is bound to; behind a proxy, set [proxy].",
    "certificate_mismatch": "Connect with the client certificate that the token is bound to.",
    "dpop_proof_required": "Send the token by the scheme DPoP, with a proof by the key that it is bound to.",
    "dpop_unbound_token": "Send the token by the scheme Bearer, or request one that is bound to the key.",
    "dpop_key_mismatch": "Sign the proof with the key that the token is bound to.",
    "dpop_wrong_method": "Make the proof for the method of this request.",
    "dpop_wrong_uri": "Make the proof for the URL of this request below public_url; behind a proxy, set [proxy].",
    "dpop_wrong_access_token": "Make the proof for this token.",
    "dpop_expired": "Make a new proof for each request, or compare the clocks.",
    "dpop_issued_in_future": "Compare the clocks of the client and of this machine.",
    "dpop_nonce_required": "Make a new proof with the nonce of the answer's DPoP-Nonce header.",
    "dpop_wrong_nonce": "Make a new proof with the nonce of the answer's DPoP-Nonce header.",
    "dpop_bound_token_required": "Request a token that is bound to a key, and send it with a proof.",
    "insufficient_user_authentication": "Have the user authenticate again, as the challenge says (RFC 9470).",
}


def remedy(error: VerificationError, route: Route | None) -> str:
    """Return what would have to change, as a sentence."""
    code = str(error.code)
    if code == "no_route":
        return "Add a route for this method and path to the configuration, or correct the request."
    if code == "insufficient_scope":
        scope = getattr(error, "scope", None)
        needed = f" with the scope {scope!r}" if scope else ""
        return f"Request a token{needed}, or change the scopes of the route."
    if code == "missing_claim":
        return "Have the issuer add the claim to its tokens, or change required."
    if code.startswith("delegation_"):
        limits = "max_depth, require_human_root and allowed_actors"
        named = f" of {route.name or route.path}" if route is not None else ""
        return f"Request a token with a permitted chain of actors, or change {limits}{named}."
    if code.startswith("dpop_"):
        return _REMEDIES.get(code, "Make a new proof as RFC 9449 section 4.2 says.")
    return _REMEDIES.get(code, "Get a new token from the issuer.")
