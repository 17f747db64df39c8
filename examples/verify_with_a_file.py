"""Verify one token with the keys of a file, and answer as a resource server would.

    python verify_with_a_file.py keys.json https://as.example https://api.example TOKEN

Nothing is fetched: the verdict depends only on the keys, the policy and the clock.
"""

from __future__ import annotations

import sys
from pathlib import Path

import watchword as ww


def main(jwks_file: str, issuer: str, audience: str, raw: str) -> int:
    # Make both once, not for every token: keys are parsed and validated here.
    keys = ww.KeySet.from_json(Path(jwks_file).read_bytes())
    for rejected in keys.rejected:
        print(f"key {rejected.index} is not used: {rejected.detail}", file=sys.stderr)
    policy = ww.Policy(issuer=issuer, audience=audience, algorithms=("EdDSA", "ES256"))

    try:
        token = ww.verify(raw, keys, policy)
    except ww.VerificationError as error:
        # error.code is one of a closed set, for programs; error.detail is a sentence, for logs.
        print(error.http_status, error.www_authenticate(), f"({error})")
        return 1
    print(f"{token.subject} may {', '.join(token.scopes)} until {token.expires_at}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
