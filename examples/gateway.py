"""A gateway that meets the same keys and the same tokens again: ``python examples/gateway.py``."""

from __future__ import annotations

import watchword as ww
from watchword.testing import LocalIssuer

issuer = LocalIssuer("https://as.example", algorithms=("EdDSA", "ES256"))
audience = "https://api.example"

# Tables for the issuer's keys, before the first request. Without this, each key earns its table by use.
keys = ww.KeySet.from_json(issuer.jwks())
print("keys with a table:", keys.prepare(), "of", len(keys))
print("their tables take", ww.tables.stats().bytes // 1024, "KiB")

# One memory of verified tokens, for all of the gateway's verifiers.
cache = ww.TokenCache(max_bytes=32 * 1024 * 1024)
verifier = ww.Verifier([ww.Issuer(issuer.issuer, jwks=keys)], audience=audience, token_cache=cache)

agents = [issuer.mint({"aud": audience, "sub": f"agent-{number}", "scope": "orders:read"}) for number in range(10)]
for _ in range(100):
    for raw in agents:
        token = verifier.verify(raw)
        assert token.resource_scopes.allows(action="read", resource="orders")
stats = cache.stats()
print("verified:", stats.misses, "- found again:", stats.hits)

# A token whose signature was changed is another token: nothing is known of it.
forged = agents[0][:-4] + ("AAAA" if not agents[0].endswith("AAAA") else "BBBB")
try:
    verifier.verify(forged)
except ww.VerificationError as error:
    print("a forged one:", error.code)

# Many at once, on all processors, each with the verdict that it would get alone.
results = verifier.verify_many([*agents * 100, forged])
print("in a batch:", results.valid_count, "valid,", results.codes()[-1])
