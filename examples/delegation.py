"""Evaluate a delegation chain: who acts on whose behalf.

python examples/delegation.py
"""

from __future__ import annotations

import watchword
from watchword.testing import LocalIssuer


def decide(raw: str, keys: watchword.KeySet, policy: watchword.Policy) -> str:
    """Verify a token, then check its delegation chain. Returns the response."""
    try:
        chain = watchword.verify(raw, keys, policy).delegation
        chain.check(
            max_depth=2,
            require_human_root=True,
            allowed_actors=["client:planner", "client:mailer"],
        )
    except watchword.VerificationError as error:
        return f"{error.http_status} {error.code}"
    # RFC 8693 section 4.1: authorise by the subject and the current actor; prior actors are informational.
    return "200 " + " for ".join([*(str(actor.subject) for actor in chain.actors), str(chain.subject)])


def main() -> None:
    issuer = LocalIssuer("https://as.example", audience="https://api.example")
    mailer = {"sub": "client:mailer", "act": {"sub": "client:planner"}}
    for claims in (
        {"sub": "user:ada", "act": mailer},
        {"sub": "user:ada"},
        {"sub": "client:batch", "act": mailer},
        {"sub": "client:batch"},
        {"sub": "user:ada", "act": {"sub": "client:unknown"}},
        {"sub": "user:ada", "act": {"sub": "client:mailer", "act": mailer}},
        {"sub": "user:ada", "act": "client:mailer"},
    ):
        print(decide(issuer.mint(claims), issuer.key_set(), issuer.policy()))


if __name__ == "__main__":
    main()
