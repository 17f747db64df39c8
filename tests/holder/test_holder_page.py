"""The code of docs/holder.md runs as it is printed: with a stand-in for AWS KMS, and with SoftHSM itself."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from signers import FakeKms

import watchword as ww
import watchword.holder

PAGE = (Path(__file__).parents[2] / "docs" / "holder.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
(PKCS11,) = (block for block in BLOCKS if "Pkcs11Signer" in block)

SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")
NO_SOFTHSM = not (SOFTHSM.exists() and shutil.which("softhsm2-util") and importlib.util.find_spec("pkcs11"))

URI = "https://api.example/orders"


def test_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"kms": FakeKms()}
    for block in BLOCKS:
        if block is not PKCS11:
            exec(block, names)
    assert stat.S_IMODE(os.stat("agent-key.pem").st_mode) == 0o600
    assert names["key"].thumbprint in capsys.readouterr().out
    exec(BLOCKS[0], names)
    assert names["key"].thumbprint in capsys.readouterr().out  # the same, from the file
    proof = ww.dpop.verify_proof(names["headers"]["DPoP"], method="GET", uri=URI, access_token=names["token"])
    assert proof.jkt == names["key"].thumbprint
    # The last prover is that of KMS.
    by_kms = names["prover"].proof("GET", URI)
    assert ww.dpop.verify_proof(by_kms, method="GET", uri=URI).jkt == names["prover"].jkt
    assert [request["MessageType"] for request in names["kms"].requests] == ["RAW", "RAW"]


def test_the_page_names_every_public_name() -> None:
    for name in watchword.holder.__all__:
        assert name in PAGE, name


#: Makes a key in the token, runs the page's code, and prints a proof; then the error for data that were not hashed.
PROGRAM = """
import pkcs11
from pkcs11 import Attribute, KeyType
from pkcs11.util.ec import encode_named_curve_parameters

token = pkcs11.lib({module!r}).get_token(token_label="agents")
with token.open(user_pin="5678", rw=True) as session:
    curve = {{Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}}
    parameters = session.create_domain_parameters(KeyType.EC, curve, local=True)
    parameters.generate_keypair(store=True, label="agent-7")

{block}

print(prover.proof("GET", {uri!r}))

from watchword.holder import SignerError

class Unhashed(Pkcs11Signer):
    def sign(self, data):
        return self._key.sign(data, mechanism=pkcs11.Mechanism.ECDSA)

signer.__class__ = Unhashed
try:
    DpopProver(signer=signer)
except SignerError as error:
    print(error)
"""


@pytest.mark.skipif(NO_SOFTHSM, reason="needs SoftHSM (apt-get install softhsm2) and the package python-pkcs11")
def test_a_key_in_a_pkcs11_token(tmp_path: Path) -> None:
    (tmp_path / "tokens").mkdir()
    configuration = tmp_path / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {tmp_path / 'tokens'}\nobjectstore.backend = file\n")
    environment = {**os.environ, "SOFTHSM2_CONF": str(configuration)}

    def run(*command: str) -> str:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("softhsm2-util", "--init-token", "--free", "--label", "agents", "--so-pin", "1234", "--pin", "5678")
    proof, error = run(sys.executable, "-c", PROGRAM.format(module=str(SOFTHSM), block=PKCS11, uri=URI)).splitlines()
    assert ww.dpop.verify_proof(proof, method="GET", uri=URI).algorithm == "ES256"
    assert "not hashed with SHA-256 once" in error
