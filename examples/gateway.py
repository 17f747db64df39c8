"""A gateway that sees the same keys and tokens repeatedly: ``python examples/gateway.py``."""

from __future__ import annotations

import watchword as ww
from watchword.testing import LocalIssuer

issuer = LocalIssuer("https://as.example", algorithms=("EdDSA", "ES256"))
audience = "https://api.example"

# Precompute the tables of the issuer's keys before the first request; otherwise they are built after some uses.
keys = ww.KeySet.from_json(issuer.jwks())
print("keys with a precomputed table:", keys.prepare(), "of", len(keys))
print("their tables take", ww.tables.stats().bytes // 1024, "KiB")

# One token cache for all verifiers of the gateway.
cache = ww.TokenCache(max_bytes=32 * 1024 * 1024)
verifier = ww.Verifier([ww.Issuer(issuer.issuer, jwks=keys)], audience=audience, token_cache=cache)

agents = [issuer.mint({"aud": audience, "sub": f"agent-{number}", "scope": "orders:read"}) for number in range(10)]
for _ in range(100):
    for raw in agents:
        token = verifier.verify(raw)
        assert token.resource_scopes.allows(action="read", resource="orders")
stats = cache.stats()
print("verified:", stats.misses, "- from the cache:", stats.hits)

# A token with another signature is another token, which is not in the cache.
forged = agents[0][:-4] + ("AAAA" if not agents[0].endswith("AAAA") else "BBBB")
try:
    verifier.verify(forged)
except ww.VerificationError as error:
    print("a forged token:", error.code)

# A batch on all processors; each verdict is the same as for a single token.
results = verifier.verify_many([*agents * 100, forged])
print("in a batch:", results.valid_count, "valid,", results.codes()[-1])
