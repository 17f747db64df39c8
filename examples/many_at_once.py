"""Verify in an event loop: many requests at once, one fetch, and the loop is never blocked.

python many_at_once.py https://as.example https://api.example < tokens.txt
"""

from __future__ import annotations

import asyncio
import sys

import watchword as ww


async def handle(verifier: ww.Verifier, raw: str) -> str:
    """Return the response of a request handler. If the keys are cached, it does not wait."""
    try:
        token = await verifier.verify_async(raw)
    except ww.VerificationError as error:
        return f"rejected: {error.code}"
    return f"valid: {token.subject}"


async def verify_all(issuer: ww.Issuer, audience: str, raws: list[str]) -> list[str]:
    async with ww.Verifier([issuer], audience=audience) as verifier:
        verdicts = await asyncio.gather(*(handle(verifier, raw) for raw in raws))
        print(f"fetched the keys {verifier.stats()[issuer.issuer].fetches} time(s)", file=sys.stderr)
        return verdicts


if __name__ == "__main__":
    tokens = [line.strip() for line in sys.stdin if line.strip()]
    print("\n".join(asyncio.run(verify_all(ww.Issuer(sys.argv[1]), sys.argv[2], tokens))))
