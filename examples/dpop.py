"""DPoP from both sides: a client with a key of its own, a server that takes each proof once, and a thief."""

from __future__ import annotations

import watchword as ww
from watchword.testing import LocalIssuer

URI = "https://api.example/orders?page=2"


def main() -> None:
    # The client makes a key pair; its authorization server binds the token to it.
    prover = ww.dpop.DpopProver("ES256")
    issuer = LocalIssuer("https://as.example", audience="https://api.example")
    token = issuer.mint(sub="agent-7", cnf={"jkt": prover.jkt})

    # The server: proofs are remembered, and must carry a nonce of its own.
    nonces = ww.dpop.Nonces(ww.dpop.Nonces.new_key())
    verifier = ww.Verifier(
        [ww.Issuer("https://as.example", jwks=issuer.jwks())],
        audience="https://api.example",
        dpop=ww.dpop.DpopVerifier(nonces=nonces),
    )

    def serve(headers: dict[str, str]) -> str | None:
        """Answers a request; returns the nonce that the client is given, if any."""
        try:
            request = verifier.verify_request(method="GET", uri=URI, headers=headers)
        except ww.VerificationError as error:
            print(error.http_status, error.code)
            return error.nonce if isinstance(error, ww.DpopError) else None
        print(200, request.token.subject)
        return None

    authorization = {"Authorization": f"DPoP {token}"}
    nonce = serve({**authorization, "DPoP": prover.proof("GET", URI, token)})
    good = {**authorization, "DPoP": prover.proof("GET", URI, token, nonce)}
    serve(good)

    # The thief has seen all of that. The same request again, the token alone, the token with a key of the thief's:
    serve(good)
    serve({"Authorization": f"Bearer {token}"})
    serve({**authorization, "DPoP": ww.dpop.DpopProver().proof("GET", URI, token, nonce)})


if __name__ == "__main__":
    main()
