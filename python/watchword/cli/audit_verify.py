"""``watchword audit verify``: whether the output of an audit is what its manifest says."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from typing import Any

from watchword import KeySet, VerificationError
from watchword.audit.inputs import STANDARD_INPUT, Input
from watchword.cli import sources
from watchword.cli.command_error import CommandError
from watchword.cli.terminal import escaped

_DESCRIPTION = """\
Checks the output of an audit: the signature of the manifest, the digest of
every file, the counts, which are computed again, and the digests of the inputs
that are there. With --sample, rows are verified again, with the keys of --keys,
and the verdicts are compared with those in the parts.

Exit status: 0 as the manifest says, 1 something differs, 2 a usage error."""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to ``watchword audit``."""
    parser = commands.add_parser(
        "verify",
        help="check the output of an audit",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("directory", metavar="DIR", help="the output of an audit")
    parser.add_argument("--public-key", metavar="FILE", help="whose signature the manifest must have: PEM or a JWK")
    parser.add_argument("--inputs", metavar="DIR", help="where the inputs are (default: their original paths)")
    parser.add_argument("--sample", type=int, metavar="N", help="verify N rows again")
    parser.add_argument("--seed", type=int, metavar="S", help="choose the same rows again (default: at random)")
    parser.add_argument("--keys", action="append", default=[], metavar="[ISSUER=]FILE", help="the keys, for --sample")
    parser.add_argument("--policy", metavar="FILE", help="the policies, for --sample, if they are those of a file")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print each difference. Returns the exit status."""
    from watchword.cli.audit import errors_as_messages

    with errors_as_messages():
        try:
            return _run(arguments)
        except OSError as error:
            raise CommandError(
                f"{error.filename or arguments.directory!r} can't be read: {error.strerror or error}."
            ) from None


def _run(arguments: argparse.Namespace) -> int:
    from watchword.audit.errors import required

    required("pyarrow")
    from watchword.audit.manifest import read_manifest
    from watchword.audit.verification import check_inputs, check_output

    if arguments.sample is not None and (arguments.sample < 1 or not arguments.keys):
        raise CommandError("--sample needs a number of rows, at least 1, and the keys: --keys FILE.")
    keys = None if arguments.public_key is None else _public_key(arguments.public_key)
    differences: list[str] = []

    def differ(sentence: str) -> None:
        differences.append(sentence)
        print(escaped(sentence))

    try:
        manifest, signature = read_manifest(arguments.directory, keys)
    except VerificationError as error:
        # Whatever it says, nobody answers for it.
        print(f"The signature of the manifest is invalid: {escaped(error.detail)}.")
        return 1
    if keys is not None and signature == "unsigned":
        differ("The manifest is not signed.")
    for sentence in check_output(arguments.directory, manifest):
        differ(sentence)
    missing: list[str] = []
    for sentence in check_inputs(manifest, lambda path: _located(path, arguments.inputs), missing.append):
        differ(sentence)
    if arguments.sample is not None:
        for sentence in _sample(arguments, manifest, missing):
            differ(sentence)
    if differences:
        print(f"\n{len(differences):,} differences." if len(differences) > 1 else "\n1 difference.")
        return 1
    counts = manifest["counts"]
    print(f"The output is what the manifest says: {counts['rows']:,} rows, {counts['valid']:,} valid.")
    print(_not_checked(signature, missing, arguments))
    return 0


def _not_checked(signature: str, missing: list[str], arguments: argparse.Namespace) -> str:
    unchecked = {
        "unsigned": ["who made it (the manifest is not signed)"],
        "unchecked": ["who signed the manifest (no --public-key)"],
    }.get(signature, [])
    if missing:
        unchecked.append(f"{len(missing):,} of the inputs, which are not there ({escaped(missing[0])})")
    if arguments.sample is None:
        unchecked.append("the verdicts themselves (no --sample)")
    return "Everything was checked." if not unchecked else f"Not checked: {'; '.join(unchecked)}."


def _public_key(path: str) -> KeySet:
    keys = sources.load_keys(path)
    if not len(keys):
        raise CommandError(f"{path!r} has no usable key. Run `watchword keys {path}` to see why.")
    return keys


def _located(path: str, directory: str | None) -> str:
    if directory is None:
        # Standard input is gone, whatever file has this name.
        return "" if path == STANDARD_INPUT else path
    below = os.path.join(directory, path.lstrip("/"))
    return below if os.path.exists(below) else os.path.join(directory, os.path.basename(path))


def _sample(arguments: argparse.Namespace, manifest: dict[str, Any], missing: list[str]) -> Any:  # noqa: ANN401
    from watchword.audit.auditor import Auditor
    from watchword.audit.key_input import read_keys, recorded_rules
    from watchword.audit.policy_input import issuers_in, policy_from_description, policy_from_file
    from watchword.audit.sample import compare_sample

    if missing:
        raise CommandError(f"--sample needs all inputs, and {missing[0]!r} is not there. Give --inputs DIR.")
    if arguments.policy is None:
        policy: Any = policy_from_description(manifest["policy"])
    else:
        policy, described = policy_from_file(arguments.policy)
        if described != manifest["policy"]:
            yield f"The policies in {arguments.policy!r} are not those of the audit."
            return
    keys, described_keys = read_keys(arguments.keys, issuers_in(manifest["policy"]), recorded_rules(manifest["keys"]))
    if described_keys["sha256"] != manifest["keys"].get("sha256"):
        yield "The keys are not those of the audit: their SHA-256 differs."
        return
    inputs = [Input(one["path"], one["format"]) for one in manifest["inputs"]]
    seed = secrets.randbits(32) if arguments.seed is None else arguments.seed
    print(f"Verifying {arguments.sample:,} rows again (--seed {seed}).", file=sys.stderr)
    paths = {one.path: _located(one.path, arguments.inputs) for one in inputs}
    yield from compare_sample(
        arguments.directory,
        manifest,
        inputs,
        Auditor(keys, policy),
        size=arguments.sample,
        seed=seed,
        locate=paths.__getitem__,
    )
