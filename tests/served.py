"""A review's server in a process of its own, as a user starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import urlencode, urlsplit

SRC = Path(__file__).resolve().parents[1] / "src"


@dataclass
class Served:
    """A running server: its address, and its process to be ended in one way or another."""

    address: str
    process: subprocess.Popen[str]

    @property
    def port(self) -> int:
        """Its port."""
        return urlsplit(self.address).port or 0

    @property
    def root(self) -> str:
        """The path with the token, without a query."""
        return urlsplit(self.address).path

    def ask(
        self, path: str, method: str = "GET", headers: dict[str, str] | None = None, form: dict[str, str] | None = None
    ) -> tuple[HTTPResponse, bytes]:
        """Send one request, exactly as told; ``path`` is below the token unless it begins with a slash."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        whole = path if path.startswith("/") else self.root + path
        body = None if form is None else urlencode(form)
        connection.putrequest(method, whole, skip_host=True, skip_accept_encoding=True)
        given = {"host": f"127.0.0.1:{self.port}"} | (headers or {})
        if body is not None:
            given |= {"content-type": "application/x-www-form-urlencoded", "content-length": str(len(body))}
        for name, value in given.items():
            connection.putheader(name, value)
        connection.endheaders(None if body is None else body.encode())
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response, content

    def post(self, path: str, form: dict[str, str], **headers: str) -> tuple[HTTPResponse, bytes]:
        """Post a form as the page itself does."""
        return self.ask(path, "POST", {"origin": f"http://127.0.0.1:{self.port}"} | headers, form)


@contextmanager
def served(run: Path, name: str = "ada") -> Iterator[Served]:
    """Serve a run until the end of the block."""
    command = [sys.executable, "-m", "hardneg", "review", str(run), "--no-browser", "--name", name]
    environment = {**os.environ, "PYTHONPATH": str(SRC)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    assert process.stderr is not None
    line = process.stdout.readline().strip()
    try:
        assert line.startswith("http://127.0.0.1:"), process.stderr.read()
        yield Served(line, process)
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()
        process.stderr.close()
