"""Check the scopes of a token. Run it: ``python examples/scopes.py``."""

from __future__ import annotations

from watchword import scopes
from watchword.testing import LocalIssuer

issuer = LocalIssuer()
raw = issuer.mint(sub="agent-7", scope="projects:** users:read *:list member")

# A verified token has its scopes as a matcher, which is compiled once.
token = issuer.verifier().verify(raw)
granted = token.resource_scopes

print("may write to projects.tasks:", granted.allows(action="write", resource="projects.tasks"))
print("may write to users:", granted.allows(action="write", resource="users"))
print("is a member:", "member" in granted)
print("why:", granted.explain(action="write", resource="users"))

# In a request handler: require a scope, and answer 403 with the scope that is needed.
try:
    granted.require(action="write", resource="users")
except scopes.InsufficientScopeError as error:
    print(error.http_status, error.www_authenticate())

# Delegation: an agent grants only what it has, and only what is requested.
wanted = scopes.ResourceScopes("projects.tasks:* users:*")
print("missing:", *granted.missing(wanted))
print("can be delegated:", granted.narrow(wanted))
scopes.check_narrowing(granted, granted.narrow(wanted))

# The grammar action:resource:identifier, in which "*" is allowed for the identifier only.
broker = scopes.SlotScopes(["read:data:*", "write:data:drafts"])
print("covers the requested scopes:", broker.covers(scopes.SlotScopes("read:data:customers write:data:drafts")))
try:
    scopes.SlotScopes("*:data:customers")
except scopes.ScopeSyntaxError as error:
    print(error)
