"""What a page on another site, another name for this machine, or a guess can do: nothing."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.heard import heard
from tests.served import Served, served
from tests.unit.report.conftest import HOSTILE, build

from hardneg.decisions import FILE, read_decisions

pytest.importorskip("uvicorn", reason='the extra "review" is not installed: pip install "hardneg[review]"')


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("review") / "run", hostile=True).path


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Served]:
    with served(folder) as running:
        yield running


FORM = {"view": "who=ada", "row": "3", "answer": "negative"}


def test_without_the_token_nothing_is_told(server: Served) -> None:
    other = "/" + "a" * (len(server.root) - 2) + "/"
    for path in ("/", "/review.css", "/decide", other, other + "review.js", server.root[:-1], "//", "/%2e%2e/"):
        response, body = server.ask(path)
        assert response.status == 404
        assert b"hardneg review" in body
        assert server.root.strip("/").encode() not in body


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "", "0.0.0.0"])
def test_only_the_names_of_this_machine_are_answered(server: Served, host: str) -> None:
    response, _ = server.ask("", headers={"host": host.format(port=server.port)})
    assert response.status == 421
    assert server.ask("?who=a", headers={"host": f"localhost:{server.port}"})[0].status == 200


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "https://127.0.0.1:{port}", "http://127.0.0.1:1"]
)
def test_an_answer_must_come_from_the_page(server: Served, folder: Path, origin: str | None) -> None:
    headers = {} if origin is None else {"origin": origin.format(port=server.port)}
    for path in ("decide", "undo"):
        assert server.ask(path, "POST", headers, FORM)[0].status == 403
    assert read_decisions(folder / FILE) == []


def test_nothing_changes_by_get(server: Served, folder: Path) -> None:
    for path in ("decide", "undo"):
        assert server.ask(f"{path}?view=who%3Dada&row=3&answer=negative")[0].status == 405
    for method in ("PUT", "DELETE", "OPTIONS", "TRACE"):
        assert server.ask("decide", method)[0].status == 405
    assert read_decisions(folder / FILE) == []


def test_every_answer_carries_the_policy(server: Served) -> None:
    for path in ("?who=ada", "review.js", "picture/item/0", "?who=ada&queue=none", "/"):
        response, _ = server.ask(path)
        policy = response.getheader("content-security-policy") or ""
        assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self'")
        assert "unsafe" not in policy
        assert response.getheader("x-content-type-options") == "nosniff"
        assert response.getheader("referrer-policy") == "same-origin"
        assert response.getheader("server") is None


def test_hostile_texts_and_names_stay_texts(server: Served) -> None:
    for path in ("?who=ada&queue=all&at=0", "?who=ada&layout=grid&queue=all", f"?who={'%3Cscript%3E'}&at=1"):
        response, body = server.ask(path)
        assert response.status == 200
        text = body.decode()
        assert re.findall(r"<script[^>]*>", text) == ['<script src="review.js" defer>']
        assert "<img src=x" not in text
        assert "<svg onload" not in text
    assert HOSTILE[0] not in text


@pytest.mark.parametrize(
    "form",
    [
        {},
        {**FORM, "answer": "maybe"},
        {**FORM, "row": "-1"},
        {**FORM, "row": "99999999"},
        {**FORM, "row": "1e3"},
        {**FORM, "view": ""},
        {**FORM, "view": "who=ada&queue=<script>"},
        {**FORM, "view": "who=ada&sort=score&least=nan"},
    ],
)
def test_a_wrong_answer_is_told_in_words_and_not_kept(server: Served, folder: Path, form: dict[str, str]) -> None:
    response, body = server.post("decide", form)
    assert response.status == 400
    assert b"That did not work" in body
    assert b"<script>" not in body
    assert read_decisions(folder / FILE) == []


def test_a_huge_form_is_refused(server: Served) -> None:
    assert server.post("decide", {**FORM, "note": "x" * 100_000})[0].status == 413


def test_only_this_machine_is_listened_to(server: Served) -> None:
    with socket.socket() as other:
        other.settimeout(2)
        address = next(
            (one[4][0] for one in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)), "127.0.0.1"
        )
        if str(address).startswith("127."):
            pytest.skip("this machine has no other address")
        assert other.connect_ex((str(address), server.port)) != 0


def test_media_are_numbers_of_the_run_never_paths(tmp_path: Path) -> None:
    run = heard(tmp_path / "a", "files").path
    (tmp_path / "a" / "secret.wav").write_bytes((tmp_path / "a" / "sounds" / "0" / "s0.wav").read_bytes())
    with served(run) as server:
        good, body = server.ask("sound/item/0")
        assert good.status == 200
        assert good.getheader("content-type") in ("audio/mpeg", "audio/wav")
        part, some = server.ask("sound/item/0", headers={"range": "bytes=10-19"})
        assert (part.status, some) == (206, body[10:20])
        assert server.ask("spectrum/item/0")[1][:4] == b"\x89PNG"
        for path in (
            "sound/item/99999", "sound/item/-1", "sound/item/0/../../secret.wav", "sound/other/0",
            "sound/item/secret.wav", "sound/item/..%2f..%2fsecret.wav", "picture/item/0",
            "sound/item/%2e%2e", "spectrum/item/1e9",
        ):  # fmt: skip
            assert server.ask(path)[0].status == 404, path
