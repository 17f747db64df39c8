"""What may the bearer of this token do? Run it: ``python examples/scopes.py``."""

from __future__ import annotations

from watchword import scopes
from watchword.testing import LocalIssuer

issuer = LocalIssuer()
raw = issuer.mint(sub="agent-7", scope="projects:** users:read *:list member")

# A verified token says what it was given; a matcher, compiled once and kept with it, says what that allows.
token = issuer.verifier().verify(raw)
held = token.resource_scopes

print("may write to projects.tasks:", held.allows(action="write", resource="projects.tasks"))
print("may write to users:", held.allows(action="write", resource="users"))
print("is a member:", "member" in held)
print("why:", held.explain(action="write", resource="users"))

# In a request handler: demand it, and answer 403 with what is needed.
try:
    held.require(action="write", resource="users")
except scopes.InsufficientScopeError as error:
    print(error.http_status, error.www_authenticate())

# The agent hands some of it on: no more than it has itself, and no more than is asked for.
wanted = scopes.ResourceScopes("projects.tasks:* users:*")
print("what it cannot give:", *held.missing(wanted))
print("what it can give:", held.narrow(wanted))
scopes.check_narrowing(held, held.narrow(wanted))

# The grammar action:resource:identifier, where "*" may stand for the identifier only.
broker = scopes.SlotScopes(["read:data:*", "write:data:drafts"])
print("covers the demand:", broker.covers(scopes.SlotScopes("read:data:customers write:data:drafts")))
try:
    scopes.SlotScopes("*:data:customers")
except scopes.ScopeSyntaxError as error:
    print(error)
