"""Who is behind this request? Delegation, from the token to the decision.

python examples/delegation.py
"""

from __future__ import annotations

import watchword
from watchword.testing import LocalIssuer


def decide(raw: str, keys: watchword.KeySet, policy: watchword.Policy) -> str:
    """What a gateway does with a token: verify it, then ask who acts on whose behalf."""
    try:
        chain = watchword.verify(raw, keys, policy).delegation
        chain.check(
            max_depth=2,
            require_human_root=True,
            allowed_actors=["client:planner", "client:mailer"],
        )
    except watchword.VerificationError as error:
        return f"{error.http_status} {error.code}"
    # RFC 8693 section 4.1: decide by the subject and the nearest actor; the earlier ones are for the record.
    return "200 " + " for ".join([*(str(actor.subject) for actor in chain.actors), str(chain.subject)])


def main() -> None:
    issuer = LocalIssuer("https://as.example", audience="https://api.example")
    mailer = {"sub": "client:mailer", "act": {"sub": "client:planner"}}
    for claims in (
        {"sub": "user:ada", "act": mailer},
        {"sub": "user:ada"},
        {"sub": "client:batch", "act": mailer},
        {"sub": "client:batch"},
        {"sub": "user:ada", "act": {"sub": "client:stranger"}},
        {"sub": "user:ada", "act": {"sub": "client:mailer", "act": mailer}},
        {"sub": "user:ada", "act": "client:mailer"},
    ):
        print(decide(issuer.mint(claims), issuer.key_set(), issuer.policy()))


if __name__ == "__main__":
    main()
