"""A service verifies the tokens of ClawAuth's agents offline: python examples/clawauth_verify.py

ClawAuth is a stand-in here. A service obtains ClawAuth's public keys from ClawAuth.
"""

from __future__ import annotations

from watchword.providers.clawauth import ClawAuth, ClawAuthAgent
from watchword.providers.clawauth.exceptions import ClawAuthError
from watchword.testing import LocalIssuer


def profile(auth: ClawAuth, authorization: str) -> str:
    """Return the response of a request handler."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        return "401 no token"
    try:
        result = auth.verify(token)
    except ClawAuthError as error:
        return f"503 {error}"  # no keys are available, so the token could not be verified
    if not result.valid or not result.agent:
        return f"401 {result.error}"
    if result.agent.trust_score < 5.0:
        return f"403 {result.agent.id} is trusted too little"
    return f"200 {result.agent.name}: {', '.join(result.agent.scopes)}"


def main() -> None:
    clawauth = LocalIssuer("https://api.clawauth.com", audience="orders", algorithms=("ES256", "RS256"))
    says = {"sub": "agent_abc123", "name": "Shopper", "trust_score": 7.5, "scopes": ["orders:read"], "scope": None}
    typ = {"typ": "JWT"}
    auth = ClawAuth(service_id="orders", api_key="svc_abc123", jwks=clawauth.jwks())

    print(profile(auth, f"Bearer {clawauth.mint(says, header=typ)}"))
    print(profile(auth, f"Bearer {clawauth.mint({**says, 'trust_score': None}, header=typ)}"))
    print(profile(auth, f"Bearer {clawauth.mint({**says, 'aud': 'billing'}, header=typ)}"))
    print(profile(auth, f"Bearer {clawauth.mint(says, algorithm='RS256', header=typ)}"))
    print(profile(auth, f"Bearer {clawauth.mint({**says, 'sub': 'user_7'}, header=typ)}"))
    # Nobody listens on this port. Without any keys, ClawAuth's server would be asked.
    unreachable = ClawAuth("orders", "svc_abc123", jwks_uri="http://127.0.0.1:1/keys", allow_loopback_http=True)
    print(profile(unreachable, f"Bearer {clawauth.mint(says, header=typ)}"))
    unreachable.close()

    # The agent: a key pair to register, and a signature over ClawAuth's challenge.
    pair = ClawAuthAgent.generate_keypair()
    agent = ClawAuthAgent(agent_id="agent_abc123", private_key=pair["private_key"].encode())
    print(pair["public_key"].splitlines()[0], len(agent.sign_challenge("1234567890abcdef")) > 128)


if __name__ == "__main__":
    main()
