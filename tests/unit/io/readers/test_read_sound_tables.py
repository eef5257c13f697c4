"""Tables of sounds: whole files and parts of them, on any carrier."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.io.readers.reader_files import jsonl, parquet, skipped, table
from tests.unit.io.readers.sound_files import column, noise, noted, sound, words

from hardneg.errors import InputError
from hardneg.io.readers import ReadOptions, read
from hardneg.sounds import Clip, digest, examine_parts
from hardneg.testing._sounds import saved

pytest.importorskip("soundfile", reason="sounds need the extra 'audio'")


def recording(folder: Path, seconds: float = 4.0) -> Path:
    return sound(folder / "call.wav", 1, seconds)


ROWS: list[dict[str, Any]] = [
    {"audio": "call.wav", "start": 0.0, "end": 1.0, "label": "yes", "speaker": "ann", "session": "a"},
    {"audio": "call.wav", "start": 1.5, "end": 2.0, "label": "no", "speaker": "ann", "session": "a"},
    {"audio": "call.wav", "start": 2.0, "end": 2.5, "label": "yes", "speaker": "bob", "session": "a"},
    {"audio": "call.wav", "start": 3.0, "end": 4.0, "label": "no", "speaker": "bob", "session": "a"},
]


def test_parts_of_one_file(tmp_path: Path) -> None:
    recording(tmp_path)
    reading = read(jsonl(tmp_path / "a.jsonl", ROWS))
    items = reading.positives.items
    assert items.table.column_names == [
        "id", "audio", "start", "end", "label", "speaker", "session", "seconds", "rate", "content",
    ]  # fmt: skip
    assert {items.table.schema.field(name).type for name in ("start", "end", "seconds")} == {pa.float64()}
    assert column(reading, "id") == [
        "call.wav#t=0,1", "call.wav#t=1.5,2", "call.wav#t=2,2.5", "call.wav#t=3,4",
    ]  # fmt: skip
    assert [(one.start, one.end) for one in items.sounds or () if isinstance(one, Clip)] == [
        (0.0, 1.0), (1.5, 2.0), (2.0, 2.5), (3.0, 4.0),
    ]  # fmt: skip
    assert column(reading, "content") == [digest(one).hex() for one in items.sounds or ()]
    assert reading.positives.positive[0].tolist() == [2]


def test_what_is_the_same_is_any_column(tmp_path: Path) -> None:
    recording(tmp_path)
    rows = [{**row, "accent": accent} for row, accent in zip(ROWS, ["x", "x", "x", "y"], strict=True)]
    file = jsonl(tmp_path / "a.jsonl", rows)
    for word, expected in (("labels", 2), ("label", 2), ("speaker", 1), ("speaker_id", 1)):
        reading = read(file, options=ReadOptions(positives=word))
        assert reading.positives.positive[0].tolist() == [expected]
    accents = read(file, options=ReadOptions(positives="accent"))
    assert accents.positives.classes.column == "accent"  # type: ignore[union-attr]
    assert [len(one) for one in map(accents.positives.positive.__getitem__, range(4))] == [2, 2, 2, 0]
    classes = read(file, options=ReadOptions(positives="speaker", anchors="classes"))
    assert classes.positives.anchors.ids.to_pylist() == ["ann", "bob"]
    with pytest.raises(InputError, match="'a', so none can be a negative"):
        read(file, options=ReadOptions(positives="session"))
    with pytest.raises(InputError, match=r"a.jsonl: There is no column 'dialect' to say what is the same") as caught:
        read(file, options=ReadOptions(positives="dialect"))
    assert "There are: labels, speaker, session, accent." in str(caught.value)


def test_a_table_need_not_have_labels_to_tell_speakers_apart(tmp_path: Path) -> None:
    words(tmp_path)
    rows = [
        {"path": f"{word}/{at}.wav", "client_id": str(at), "sentence": f"{word}, they say"}
        for word in ("no", "yes") for at in range(3)
    ]  # fmt: skip
    reading = read(table(tmp_path / "validated.tsv", rows, "\t"), options=ReadOptions(positives="speaker"))
    assert column(reading, "speaker") == ["0", "1", "2"] * 2
    assert column(reading, "text") == [row["sentence"] for row in rows]
    assert reading.positives.positive[0].tolist() == [3]
    with pytest.raises(InputError, match=r"The field 'label' is missing. Found: path, client_id, sentence"):
        read(tmp_path / "validated.tsv")


@pytest.mark.parametrize(
    "names",
    [
        {"audio": "audio_filepath", "start": "offset", "end": "duration", "label": "command"},
        {"audio": "wav_path", "start": "begin", "end": "end", "label": "keyword"},
        {"audio": "path", "start": "start_time", "end": "end_time", "label": "word"},
        {"audio": "file", "start": "onset", "end": "offset", "label": "phrase"},
        {"audio": "wav", "start": "Start", "end": "stop", "label": "class"},
    ],
)
def test_the_names_of_the_field(tmp_path: Path, names: dict[str, str]) -> None:
    recording(tmp_path)
    rows = [{names[key]: row[key] for key in names} for row in ROWS]
    if names["end"] == "duration":
        rows = [{**row, "duration": one["end"] - one["start"]} for row, one in zip(rows, ROWS, strict=True)]
    reading = read(jsonl(tmp_path / "a.jsonl", rows))
    for name in ("audio", "start", "end", "label"):
        assert column(reading, name) == [row[name] for row in ROWS]


def test_a_nemo_manifest_without_offsets_names_whole_files(tmp_path: Path) -> None:
    words(tmp_path)
    rows = [
        {"audio_filepath": f"{word}/{at}.wav", "duration": 0.51, "label": word, "text": f"{word}!"}
        for word in ("no", "yes") for at in range(3)
    ]  # fmt: skip
    reading = read(jsonl(tmp_path / "train_manifest.json", rows))
    assert "start" not in reading.positives.items.table.column_names
    assert column(reading, "id")[0] == "no/0.wav"
    assert column(reading, "duration") == [0.51] * 6
    assert reading.skips == []


def test_every_carrier_gives_the_same(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    recording(tmp_path)
    (tmp_path / "set").mkdir()
    datasets.Dataset.from_list(ROWS).save_to_disk(str(tmp_path / "set"))
    readings = [
        read(table(tmp_path / "a.csv", ROWS)),
        read(table(tmp_path / "a.tsv", ROWS, "\t")),
        read(jsonl(tmp_path / "a.jsonl", ROWS)),
        read(parquet(tmp_path / "a.parquet", ROWS)),
        read(tmp_path / "set", options=ReadOptions(media_root=tmp_path)),
    ]
    assert [one.format.split(", ")[1] for one in readings] == ["csv", "tsv", "jsonl", "parquet", "datasets"]
    for reading in readings:
        assert reading.positives.items.table.equals(readings[0].positives.items.table)


def test_sounds_inside_a_saved_data_set(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    features = datasets.Features(
        {
            "audio": {"bytes": datasets.Value("binary"), "path": datasets.Value("string")},
            "label": datasets.ClassLabel(names=["no", "yes"]),
            "speaker_id": datasets.Value("string"),
        }
    )
    sounds = [{"bytes": saved(noise(at)), "path": f"{at}.wav"} for at in range(6)]
    made = {
        "audio": [*sounds, {"bytes": b"", "path": "x.wav"}],
        "label": [0, 1, 0, 1, 0, 1, 0],
        "speaker_id": list("aabbcca"),
    }
    saved_set = datasets.Dataset.from_dict(made, features=features).cast_column("audio", datasets.Audio())
    saved_set.save_to_disk(str(tmp_path / "set"))
    reading = read(tmp_path / "set")
    items = reading.positives.items
    assert items.root is None
    assert list(items.sounds or ()) == [one["bytes"] for one in sounds]
    assert column(reading, "label") == ["no", "yes"] * 3
    assert column(reading, "speaker") == list("aabbcc")
    assert column(reading, "id")[0] == str(column(reading, "content")[0])[:16]
    assert skipped(reading) == {"empty_file": 1}


def test_times_that_are_no_part_are_counted(tmp_path: Path) -> None:
    recording(tmp_path)
    (tmp_path / "page.wav").write_bytes(b"<html>404</html>")
    bad = [
        ("call.wav", "3.9", "4.5"), ("call.wav", "9", ""), ("call.wav", "-1", "1"), ("call.wav", "2", "1"),
        ("call.wav", "1", "1"), ("call.wav", "nan", "1"), ("call.wav", "0:01", "1"), ("page.wav", "0", "1"),
        ("gone.wav", "0", "1"), ("../call.wav", "0", "1"), ("", "0", "1"), ("https://x.org/a.wav", "0", "1"),
    ]  # fmt: skip
    rows = [*ROWS, *({**ROWS[0], "audio": name, "start": start, "end": end} for name, start, end in bad)]
    reading = read(table(tmp_path / "a.csv", rows))
    assert skipped(reading) == {
        "out_of_range": 2, "negative_time": 1, "end_before_start": 1, "zero_length": 1, "time_is_no_number": 2,
        "not_audio": 1, "missing_file": 1, "path_outside_folder": 1, "missing_path": 1, "no_local_file": 1,
    }  # fmt: skip
    assert {one.reason: one.examples for one in reading.skips}["negative_time"] == ("a.csv, line 8",)
    assert len(column(reading, "id")) == 4
    assert reading.counts["rows"] == 16


def test_an_end_that_was_rounded_is_that_of_the_sound(tmp_path: Path) -> None:
    recording(tmp_path, seconds=3.9966875)
    reading = read(jsonl(tmp_path / "a.jsonl", ROWS))
    assert column(reading, "end")[3] == 3.9966875
    assert noted(reading) == {"end_rounded_to_that_of_the_sound": 1}
    assert column(reading, "content") == [digest(one).hex() for one in reading.positives.items.sounds or ()]


def test_a_copy_is_the_same_file_and_the_same_times(tmp_path: Path) -> None:
    recording(tmp_path)
    (tmp_path / "copy.wav").write_bytes((tmp_path / "call.wav").read_bytes())
    rows = [*ROWS, ROWS[0], {**ROWS[0], "label": "no"}, {**ROWS[1], "audio": "copy.wav"}, {**ROWS[2], "end": 2.75}]
    reading = read(jsonl(tmp_path / "a.jsonl", rows))
    assert skipped(reading) == {"duplicate_row": 1}
    assert noted(reading) == {"same_audio_again": 1, "same_audio_two_labels": 1, "overlaps_another_label": 2}
    assert column(reading, "id")[4:] == ["call.wav#t=0,1-2", "copy.wav#t=1.5,2", "call.wav#t=2,2.75"]


def test_the_same_sound_by_two_speakers_is_no_copy_where_speakers_are_told_apart(tmp_path: Path) -> None:
    recording(tmp_path)
    rows = [*ROWS, {**ROWS[0], "speaker": "bob"}]
    assert skipped(read(jsonl(tmp_path / "a.jsonl", rows))) == {"duplicate_row": 1}
    reading = read(tmp_path / "a.jsonl", options=ReadOptions(positives="speaker"))
    assert reading.skips == []
    assert noted(reading) == {"same_audio_two_speakers": 1, "overlaps_another_speaker": 2}


def test_parts_that_overlap_are_ignored_for_one_another_and_noted(tmp_path: Path) -> None:
    recording(tmp_path)
    rows = [*ROWS, {**ROWS[1], "start": 0.5, "end": 1.25}]
    reading = read(jsonl(tmp_path / "a.jsonl", rows))
    assert reading.positives.ignored[0].tolist() == [4]
    assert noted(reading) == {"overlaps_another_label": 2}
    said = next(one for one in reading.notes)
    assert said.examples == ("call.wav#t=0,1", "call.wav#t=0.5,1.25")


def test_a_file_is_decoded_once_whatever_the_rows_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording(tmp_path)
    sound(tmp_path / "other.wav", 2, 4.0)
    looked_at = []

    def counted(source: Any, *given: Any, **named: Any) -> Any:
        looked_at.append(Path(source).name)
        return examine_parts(source, *given, **named)

    monkeypatch.setattr("hardneg.io.readers._heard.examine_parts", counted)
    monkeypatch.setattr("hardneg.io.readers._examples._CHUNK_ROWS", 7)
    rows = [
        {"audio": f"{name}.wav", "start": at / 100, "end": at / 100 + 0.5, "label": "ab"[at % 3 == 0]}
        for at in range(150)
        for name in ("call", "other")
    ]
    assert len(read(parquet(tmp_path / "a.parquet", rows)).positives.items) == 300
    assert sorted(looked_at) == ["call.wav", "other.wav"]


def test_texts_and_pictures_keep_columns_that_sounds_have_a_use_for(tmp_path: Path) -> None:
    rows = [
        {"text": f"line {at}", "label": "ab"[at % 2], "speaker": at, "start": f"{at}", "audio": f"{at}", "rate": at}
        for at in range(4)
    ]
    reading = read(jsonl(tmp_path / "a.jsonl", rows))
    names = reading.positives.items.table.column_names
    assert names == ["id", "text", "label", "speaker", "start", "audio_", "rate"]
    assert column(reading, "speaker") == [0, 1, 2, 3]
    by_speaker = read(
        jsonl(tmp_path / "b.jsonl", [{**row, "speaker": at // 2} for at, row in enumerate(rows)]),
        options=ReadOptions(positives="speaker"),
    )
    assert by_speaker.positives.positive[0].tolist() == [1]


def test_columns_whose_names_are_taken_get_another(tmp_path: Path) -> None:
    words(tmp_path)
    rows = [
        {"wav": f"{word}/{at}.wav", "label": word, "seconds": 7, "rate": "fast", "path": "x"}
        for word in ("no", "yes") for at in range(3)
    ]  # fmt: skip
    reading = read(table(tmp_path / "a.csv", rows))
    assert column(reading, "seconds") == [0.5] * 6
    assert [column(reading, name)[0] for name in ("seconds_", "rate_", "path_")] == ["7", "fast", "x"]


def test_real_digits(data_dir: Path, tmp_path: Path) -> None:
    folder = data_dir / "speech_fsdd"
    if not (folder / "wav.zip").is_file():
        pytest.skip(f"no {folder}")
    with zipfile.ZipFile(folder / "wav.zip") as packed:
        packed.extractall(tmp_path)
    (tmp_path / "index.csv").write_bytes((folder / "index.csv").read_bytes())
    options = ReadOptions(columns={"label": "digit"})
    reading = read(tmp_path / "index.csv", options=options)
    assert len(reading.positives.items) == 3000
    assert reading.positives.classes.names == tuple("0123456789")  # type: ignore[union-attr]
    assert set(column(reading, "rate")) == {8000}
    speakers = read(tmp_path / "index.csv", options=ReadOptions(positives="speaker"))
    assert len(speakers.positives.classes.names) == 6  # type: ignore[union-attr]


times = st.one_of(st.none(), st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, 2.0, -1.0, math.nan]))
records = st.fixed_dictionaries(
    {
        "audio": st.sampled_from(["a.wav", "b.wav", "broken.wav", "gone.wav", ""]),
        "start": times, "end": times, "label": st.sampled_from(["", "x", "y"]),
    }
)  # fmt: skip


@given(rows=st.lists(records, max_size=20))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_row_is_used_or_counted(rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("rows")
    for number, name in enumerate(("a.wav", "b.wav")):
        sound(folder / name, number, 1.0)
    (folder / "broken.wav").write_bytes(b"RIFF")
    sure: list[dict[str, Any]] = [{"audio": "a.wav", "start": 0.1, "end": 0.2, "label": one} for one in ("x", "y")]
    reading = read(parquet(folder / "a.parquet", [*sure, *rows]))
    assert len(reading.positives.items) + sum(one.count for one in reading.skips) == len(rows) + 2
    for one, seconds, start, end in zip(
        reading.positives.items.sounds or (),
        *(_times(reading, name) for name in ("seconds", "start", "end")),
        strict=True,
    ):
        first, last = (0.0 if math.isnan(start) else start), (1.0 if math.isnan(end) else end)
        assert seconds == pytest.approx(last - first)
        assert 0 <= first < last <= 1
        assert isinstance(one, Clip) == (not (math.isnan(start) and math.isnan(end)))


def _times(reading: Any, name: str) -> list[float]:
    names = reading.positives.items.table.column_names
    found = column(reading, name) if name in names else [None] * len(reading.positives.items)
    return [float(np.nan if one is None else one) for one in found]  # type: ignore[arg-type]
