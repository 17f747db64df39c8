"""``watchword check``: what is wrong with the configuration of a gate, with line and column."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any

from watchword.cli.command_error import CommandError
from watchword.cli.terminal import coloured, count, escaped
from watchword.gate import ConfigError, ConfigProblem, Gate, GateConfig
from watchword.printable import to_json

if TYPE_CHECKING:
    from watchword.dpop import ReplayStore

_DESCRIPTION = """\
Checks configuration files of a gate: the form, each value, the files that
they name, and what is probably not meant: routes that no request reaches,
routes that overlap, issuers that no route uses. Nothing is fetched.

Exit status: 0 all files are valid, 1 some have errors (with --strict: or
warnings), 2 a usage error."""

_EXAMPLES = """\
examples:
  watchword check gate.toml
  watchword check --strict --json gate.toml
  watchword check --schema > gate.schema.json"""


def add_to(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = verbs.add_parser(
        "check",
        help="check the configuration of a gate",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("config", nargs="*", metavar="FILE", help="TOML, or JSON if its name ends in .json")
    parser.add_argument("--strict", action="store_true", help="treat warnings as errors")
    parser.add_argument("--json", action="store_true", help="print one JSON object per line, one for each problem")
    parser.add_argument("--schema", action="store_true", help="print the JSON Schema of a configuration, for editors")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what is wrong with each file. Returns the exit status."""
    if arguments.schema:
        print(GateConfig.json_schema())
        return 0
    if not arguments.config:
        raise CommandError("no file is given. Give a configuration, such as gate.toml.")
    status = 0
    for path in arguments.config:
        errors, warnings, config = examine(path)
        if errors or (arguments.strict and warnings):
            status = 1
        if arguments.json:
            for severity, problems in (("error", errors), ("warning", warnings)):
                for problem in problems:
                    print(to_json(_as_object(path, severity, problem)))
        else:
            print_problems(path, errors, warnings, config)
    return status


def examine(
    path: str, *, replay: ReplayStore | None = None
) -> tuple[list[ConfigProblem], list[ConfigProblem], GateConfig | None]:
    """Return the errors of a file, its warnings, and the configuration if it could be read.

    ``replay`` is used in place of the configured store of used proofs, which may need a package.

    Raises :class:`CommandError` if the file cannot be read.
    """
    config = None
    try:
        config = GateConfig.from_file(path)
        errors = [*config.check_files()]
        if not errors:
            dpop = None if replay is None else config.dpop_verifier(replay=replay)
            with Gate(config.verifier(dpop=dpop), config.routes, **config.gate_keywords()):
                pass
    except OSError as error:
        raise CommandError(f"{path!r} can't be read: {error.strerror}. Give a configuration in TOML or JSON.") from None
    except ConfigError as error:
        errors = list(error.problems)
    except ValueError as error:
        # Of the gate itself, about several values together.
        errors = [ConfigProblem(None, None, "", str(error))]
    return errors, list(config.warnings) if config is not None else [], config


def print_problems(
    path: str, errors: list[ConfigProblem], warnings: list[ConfigProblem], config: GateConfig | None
) -> None:
    """Print what :func:`examine` has found, and the verdict."""
    for problem in errors:
        print(escaped(problem.describe(path)))
    for problem in warnings:
        place, _, sentence = problem.describe(path).partition(": ")
        print(f"{escaped(place)}: {coloured('warning', 'yellow')}: {escaped(sentence)}")
    sys.stdout.flush()
    found = ", ".join(count(len(some), noun) for some, noun in ((errors, "error"), (warnings, "warning")) if some)
    verdict = coloured("invalid", "red") if errors else coloured("valid", "green")
    if config is None:
        print(f"{escaped(path)}: {verdict}: {found}.")
    else:
        content = f"{count(len(config.issuers), 'issuer')}, {count(len(config.routes), 'route')}"
        print(f"{escaped(path)}: {verdict}: {content}{f'; {found}' if found else ''}.")


def _as_object(path: str, severity: str, problem: ConfigProblem) -> dict[str, Any]:
    return {"file": os.fspath(path), "severity": severity, **problem._asdict()}
