from __future__ import annotations

import socket

import pytest

from hardneg.encode._hub import without_waiting

constants = pytest.importorskip("huggingface_hub.constants")
PROXIES = [f"{kind}_proxy" for kind in ("http", "https", "all", "no")]


@pytest.fixture(autouse=True)
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_a_hub_that_cannot_be_reached_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "https://hub.invalid")  # a name that never exists
    with without_waiting():
        assert constants.is_offline_mode()
    assert not constants.is_offline_mode()


def test_a_hub_that_is_there_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", f"http://{socket.gethostbyname('localhost')}:8080")
    with without_waiting():
        assert not constants.is_offline_mode()


def test_behind_a_proxy_names_need_not_be_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "https://hub.invalid")
    monkeypatch.setenv("https_proxy", "http://localhost:3128")
    with without_waiting():
        assert not constants.is_offline_mode()
    assert not constants.is_offline_mode()


def test_who_works_offline_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with without_waiting():
        assert constants.is_offline_mode()
    assert constants.is_offline_mode()
