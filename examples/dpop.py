"""DPoP: a client with a key of its own, a server that accepts each proof once, and an attacker."""

from __future__ import annotations

import watchword as ww
from watchword.testing import LocalIssuer

URI = "https://api.example/orders?page=2"


def main() -> None:
    # The client makes a key pair; its authorization server binds the token to it.
    prover = ww.dpop.DpopProver("ES256")
    issuer = LocalIssuer("https://as.example", audience="https://api.example")
    token = issuer.mint(sub="agent-7", cnf={"jkt": prover.jkt})

    # The server: a replay cache detects reused proofs, and proofs must contain a nonce of the server.
    nonces = ww.dpop.Nonces(ww.dpop.Nonces.new_key())
    verifier = ww.Verifier(
        [ww.Issuer("https://as.example", jwks=issuer.jwks())],
        audience="https://api.example",
        dpop=ww.dpop.DpopVerifier(nonces=nonces),
    )

    def serve(headers: dict[str, str]) -> str | None:
        """Handle a request. Returns the nonce for the client, if any."""
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

    # An attacker who has seen all this repeats the request, sends the token alone, and signs with another key.
    serve(good)
    serve({"Authorization": f"Bearer {token}"})
    serve({**authorization, "DPoP": ww.dpop.DpopProver().proof("GET", URI, token, nonce)})


if __name__ == "__main__":
    main()
