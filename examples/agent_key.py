"""An agent's key in a file, DPoP proofs and a challenge signed with it, and a file that others can read.

python examples/agent_key.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import watchword as ww
from watchword.holder import ChallengeError, ChallengeSigner, DpopProver, KeyFileError, KeyPair

URI = "https://api.example/orders"
TOKEN = "the agent's access token"


def load_or_make(path: Path) -> KeyPair:
    try:
        return KeyPair.from_file(path)
    except FileNotFoundError:
        key = KeyPair.generate("ES256")
        key.write(path)
        return key


def main() -> None:
    path = Path(sys.argv[1]) / "agent-key.pem"
    key = load_or_make(path)
    print(f"{path.stat().st_mode & 0o777:04o}", load_or_make(path).thumbprint == key.thumbprint)

    # Each request gets a proof of its own; the server verifies it, and that it is by the key of the token.
    prover = DpopProver(signer=key)
    proof = ww.dpop.verify_proof(prover.proof("GET", URI, TOKEN), method="GET", uri=URI, access_token=TOKEN)
    print(proof.jkt == key.thumbprint)

    challenges = ChallengeSigner(key, nonce_encoding="utf-8", output="base64")
    print(len(challenges.sign("4f1c0a7e-nonce")))
    try:
        challenges.sign("eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9")  # the server would have got a token
    except ChallengeError as error:
        print(error)

    path.chmod(0o644)
    try:
        load_or_make(path)
    except KeyFileError as error:
        print(str(error).removeprefix(repr(str(path))).split(";")[0].strip())


if __name__ == "__main__":
    main()
