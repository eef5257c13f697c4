from __future__ import annotations

import errno
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import hardneg as hn
from hardneg.cli import _common
from hardneg.cli.export import export_into
from hardneg.cli.main import main
from hardneg.errors import StorageError


@pytest.fixture
def run(tmp_path: Path) -> hn.Run:
    """Two anchors, one of which comes up short; numbers as ids."""
    vectors = np.array([[1, 0], [1, 1], [2, 3], [0, 1]], np.float32)
    items = hn.Collection.of([1001, 1002, 1003, 1004], texts=["a", "b", "c", "d"])
    anchors = hn.Collection.of([2001], texts=["what is a"])
    judged = hn.Positives.from_pairs([2001], [1001], anchors=anchors, items=items)
    source = hn.sources.Neighbors(vectors[:1], vectors)
    return hn.mine(judged, sources=source, sampler="top(n=5)", out=tmp_path / "run")


def refuse(*_: Any, **__: Any) -> Any:
    cause = OSError(errno.ENOSPC, "No space left on device")
    raise StorageError("Cannot write it. Run the same command again.") from cause


def test_a_page_that_cannot_be_written_leaves_the_run_whole(run: hn.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_common, "write_report", refuse)
    with pytest.raises(StorageError) as caught:
        _common.page_of(run)
    assert str(caught.value) == (
        f"The run '{run.path}' is whole, but its page cannot be written (No space left on device). "
        f"When it can be: hardneg report {run.path}"
    )


def test_so_does_an_export(run: hn.Run) -> None:
    export_into(run, "flagembedding")
    with pytest.raises(StorageError, match=r"is whole, but its export cannot be written .*exists already"):
        export_into(run, "flagembedding")


def test_the_summary_counts_in_words_and_tells_how_to_see_all(run: hn.Run) -> None:
    written = io.StringIO()
    _common.summary(run, Console(file=written, width=120, soft_wrap=True))
    assert "1 anchor with fewer than 5 negatives" in written.getvalue()
    assert f"hardneg show {run.path} --short" in written.getvalue()


def test_what_was_asked_for_goes_to_standard_output(run: hn.Run, capsys: pytest.CaptureFixture[str]) -> None:
    main(["show", str(run.path)])
    shown = capsys.readouterr()
    assert "kept, not sampled" in shown.out
    assert not shown.err


def test_ids_that_are_numbers_are_shown_as_they_are(run: hn.Run, capsys: pytest.CaptureFixture[str]) -> None:
    main(["show", str(run.path), "--short"])
    assert "2001" in capsys.readouterr().out
    main(["show", str(run.path), "--anchor", "2001"])
    assert "1003" in capsys.readouterr().out


def test_a_file_that_is_missing_from_a_run_is_one_line(
    run: hn.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (run.path / "items.parquet").unlink()
    with pytest.raises(SystemExit):
        main(["export", str(run.path), "--format", "triplet", "-o", str(tmp_path / "train.parquet")])
    shown = capsys.readouterr().err
    assert "items.parquet" in shown
    assert len(shown.splitlines()) == 1


def test_all_names_of_a_format_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["export", "--list"])
    assert "sentence-transformers (triplet)" in capsys.readouterr().out
