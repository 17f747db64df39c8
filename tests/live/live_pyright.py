"""pyright's language server, which shows what an editor shows (Language Server Protocol 3.17 over standard streams)."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import live_install


class LanguageServer:
    """A language server that has one file open."""

    def __init__(self, requests: IO[bytes], answers: IO[bytes], root: Path) -> None:
        self._requests = requests
        self._answers = answers
        self._last_id = 0
        self._uri = (root / "program.py").as_uri()
        hover = {"textDocument": {"hover": {"contentFormat": ["plaintext"]}}}
        folders = [{"uri": root.as_uri(), "name": root.name}]
        self._request("initialize", {"processId": None, "workspaceFolders": folders, "capabilities": hover})
        self._send({"method": "initialized", "params": {}})

    def open(self, program: str) -> None:
        """Open the file with this text."""
        document = {"uri": self._uri, "languageId": "python", "version": 1, "text": program}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})

    def hover(self, line: int, character: int) -> str:
        """Return what the editor shows for this place, both numbers counted from 0."""
        place = {"textDocument": {"uri": self._uri}, "position": {"line": line, "character": character}}
        answer = self._request("textDocument/hover", place)
        return "" if answer is None else str(answer["contents"]["value"])

    def shut_down(self) -> None:
        """End the server as the protocol asks."""
        self._request("shutdown", None)
        self._send({"method": "exit"})

    def _request(self, method: str, params: object) -> Any:
        self._last_id += 1
        self._send({"id": self._last_id, "method": method, "params": params})
        while True:
            message = self._receive()
            if message.get("id") == self._last_id and "method" not in message:
                assert "error" not in message, message
                return message["result"]
            if "id" in message:  # the server asks for settings: there are none
                items = message.get("params", {}).get("items", [])
                self._send({"id": message["id"], "result": [None] * len(items)})

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._requests.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._requests.flush()

    def _receive(self) -> dict[str, Any]:
        length = 0
        while line := self._answers.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        assert length, "the language server has ended"
        return dict(json.loads(self._answers.read(length)))


@contextmanager
def language_server(root: Path) -> Iterator[LanguageServer]:
    """Run pyright's language server over the folder ``root``."""
    node = shutil.which("node")
    if node is None:
        live_install.unavailable("node and npm are needed for pyright")
    script = live_install.node_packages() / "node_modules" / "pyright" / "langserver.index.js"
    with subprocess.Popen([node, str(script), "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            server = LanguageServer(process.stdin, process.stdout, root)
            yield server
            server.shut_down()
        finally:
            process.kill()
