"""An API for many tenants, which are added and removed while it runs: ``python examples/many_tenants.py``."""

from __future__ import annotations

import watchword as ww
from watchword.testing import LocalIssuer

audience = "https://api.example"

# All tenants share one key set; "iss" contains the tenant's ID, which must be equal to "tid".
login = LocalIssuer("https://login.example", audience=audience)
shared = ww.Issuer("https://login.example/{tid}/v2.0", jwks=login.jwks(), tenants=["t-1", "t-2"])
verifier = ww.Verifier([shared], audience=audience)


def show(what: str, token: str) -> None:
    try:
        print(what, "- 200", verifier.verify(token).issuer)
    except ww.VerificationError as error:
        print(what, "-", error.http_status, error.code)


def of(tenant: str, **claims: str) -> str:
    return login.mint({"iss": f"https://login.example/{tenant}/v2.0", "tid": tenant, **claims})


show("a customer", of("t-1"))
show("an unknown tenant", of("t-3"))
show("iss and tid differ", of("t-1", tid="t-2"))

# Tokens of a SPIFFE trust domain have no "iss"; the operator provides the bundle.
workloads = LocalIssuer("spiffe://example.org", audience=audience)
verifier.add_issuer(ww.Issuer("spiffe://example.org", jwks=workloads.jwks()))
svid = {"iss": None, "sub": "spiffe://example.org/ns/shop/sa/cart"}
show("a workload", workloads.mint(svid))
show("a workload of another domain", workloads.mint(svid, sub="spiffe://other.example/ns/shop/sa/cart"))

# Add a customer with an issuer of its own.
own = LocalIssuer("https://id.customer.example", audience=audience)
show("before it is added", own.mint())
verifier.add_issuer(own.as_issuer())
show("once it is added", own.mint())

# Remove the customer: its keys are dropped at once, and its cached tokens are no longer used.
verifier.remove_issuer(own.issuer)
show("once it is removed", own.mint())
