"""Words as they sound: pronunciations, how far apart two words are, the words that are taken for a keyword."""

from hardneg.words.distance import apart
from hardneg.words.lexicon import Lexicon, plain
from hardneg.words.nearest import Vocabulary, confusable, unpronounced
from hardneg.words.speaking import Recordings, Voices, speak
from hardneg.words.stretches import Spoken, shorter, spoken

__all__ = [
    "Lexicon",
    "Recordings",
    "Spoken",
    "Vocabulary",
    "Voices",
    "apart",
    "confusable",
    "plain",
    "shorter",
    "speak",
    "spoken",
    "unpronounced",
]
