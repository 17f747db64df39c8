"""The operator who changes the configuration of the gate."""

from __future__ import annotations

import json
import os
import random
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway_clients import Site, generation_name
from gateway_operator import Operator
from gateway_status import metric

#: Within which a changed file is noticed, in seconds (docs/serve.md).
_NOTICED = 2.0


class Configuration(Operator):
    """Replaces the routes by a change of the file and by SIGHUP, and writes files that are refused."""

    def __init__(self, site: Site, rng: random.Random, file: Path, pid: int, status: int) -> None:
        super().__init__(site, rng)
        self._file = file
        self._pid = pid
        self._status = status

    def turns(self) -> list[Callable[[], None]]:
        return [self.change, self.change_and_signal, self.signal_only, self.refuse]

    def change(self) -> None:
        with self.site.history.reloading() as (generation, _):
            self._write({**self._config(), "routes": routes(generation)})
            self.see("a changed configuration is used", self._uses(generation), _NOTICED)

    def change_and_signal(self) -> None:
        with self.site.history.reloading() as (generation, _):
            self._write({**self._config(), "routes": routes(generation)})
            os.kill(self._pid, signal.SIGHUP)
            self.see("a configuration is used after SIGHUP", self._uses(generation), 0.0)

    def signal_only(self) -> None:
        before = self._reloads("applied")
        os.kill(self._pid, signal.SIGHUP)
        self.see("SIGHUP without a change", lambda: self._reloads("applied") > before, 0.0)

    def refuse(self) -> None:
        """The old configuration stays in use, of which every answer shows the routes."""
        good = self._config()
        everything = {"path": "/{path...}", "public": True, "name": "bad"}
        bad: list[Any] = [
            {**good, "routes": [everything], "unknown": 1},
            {**good, "routes": [everything], "server": {**good["server"], "threads": 7}},
            {**good, "routes": [everything, {"path": "no slash"}]},
            {**good, "routes": [everything], "identity_secret_file": "missing"},
        ]
        before = self._reloads("refused")
        self._write(self.rng.choice(bad))
        if self.rng.random() < 0.5:
            os.kill(self._pid, signal.SIGHUP)
        self.see("an invalid configuration is refused", lambda: self._reloads("refused") > before, _NOTICED)
        self._write(good)
        # The file may be loaded twice, but after this it is the good one.
        self.signal_only()

    def _config(self) -> dict[str, Any]:
        config: dict[str, Any] = json.loads(self._file.read_text())
        return config

    def _write(self, config: dict[str, Any]) -> None:
        """By a rename or in place."""
        text = json.dumps(config)
        if self.rng.random() < 0.5:
            self._file.write_text(text)
        else:
            new = self._file.with_suffix(".new")
            new.write_text(text)
            new.rename(self._file)

    def _uses(self, generation: int) -> Callable[[], bool]:
        return lambda: self.probe("/public", {}) == ("allowed", f"public-{generation_name(generation)}")

    def _reloads(self, result: str) -> float:
        return metric(self._status, f'watchword_server_config_reloads_total{{result="{result}"}}')


def routes(generation: int) -> list[dict[str, Any]]:
    """The routes of a generation: the name tells which, and the scope that they require alternates."""
    name = generation_name(generation)
    return [
        {"path": "/public", "public": True, "name": f"public-{name}"},
        {"path": "/orders/{id}", "scopes": [f"orders:{generation % 2}"], "name": f"orders-{name}"},
        {"path": "/any/{id}", "name": f"any-{name}"},
        {"path": "/bound/{id}", "dpop": "required", "name": f"bound-{name}"},
    ]
