"""An API for many tenants, which come and go while it runs: ``python examples/many_tenants.py``."""

from __future__ import annotations

import watchword as ww
from watchword.testing import LocalIssuer

audience = "https://api.example"

# One key set signs for every tenant; "iss" holds the tenant's id, and must be the one that "tid" has.
login = LocalIssuer("https://login.example", audience=audience)
shared = ww.Issuer("https://login.example/{tid}/v2.0", jwks=login.jwks(), tenants=["t-1", "t-2"])
verifier = ww.Verifier([shared], audience=audience)


def say(what: str, token: str) -> None:
    try:
        print(what, "- 200", verifier.verify(token).issuer)
    except ww.VerificationError as error:
        print(what, "-", error.http_status, error.code)


def of(tenant: str, **claims: str) -> str:
    return login.mint({"iss": f"https://login.example/{tenant}/v2.0", "tid": tenant, **claims})


say("a customer", of("t-1"))
say("somebody else's tenant", of("t-3"))
say("one tenant in the name of another", of("t-1", tid="t-2"))

# Workloads of a SPIFFE trust domain have no "iss"; their bundle is given by the operator.
workloads = LocalIssuer("spiffe://example.org", audience=audience)
verifier.add_issuer(ww.Issuer("spiffe://example.org", jwks=workloads.jwks()))
svid = {"iss": None, "sub": "spiffe://example.org/ns/shop/sa/cart"}
say("a workload", workloads.mint(svid))
say("a workload of another domain", workloads.mint(svid, sub="spiffe://other.example/ns/shop/sa/cart"))

# A customer with an issuer of its own, from now on.
own = LocalIssuer("https://id.customer.example", audience=audience)
say("before it is added", own.mint())
verifier.add_issuer(own.as_issuer())
say("once it is added", own.mint())

# The customer leaves: its keys are dropped at once, and remembered tokens are found no more.
verifier.remove_issuer(own.issuer)
say("once it is removed", own.mint())
