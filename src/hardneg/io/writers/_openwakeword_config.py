"""The configuration of openWakeWord's ``train.py`` as YAML."""

from __future__ import annotations

import json
import re

__all__ = ["config", "quoted"]

_TEMPLATE = """\
# For openWakeWord's train.py, run in the folder of this file:
#   python openwakeword/train.py --training_config NAME.yml --augment_clips --train_model
# With --generate_clips it adds synthetic clips to those in positive_train and negative_train, up to n_samples.
# Lines with EDIT name files of yours.

model_name: {model}
target_phrase:
  - {phrase}
# The words that were taken for it, the most frequent first.
custom_negative_phrases:{phrases}

n_samples: 10000
n_samples_val: 2000
tts_batch_size: 50
augmentation_batch_size: 16
piper_sample_generator_path: "./piper-sample-generator"  # EDIT
output_dir: "."

rir_paths:
  - "./mit_rirs"  # EDIT
background_paths:
  - "./background_clips"  # EDIT
background_paths_duplication_rate:
  - 1
false_positive_validation_data_path: "./validation_set_features.npy"  # EDIT
augmentation_rounds: 1

feature_data_files:
  "ACAV100M_sample": "./openwakeword_features_ACAV100M_2000_hrs_16bit.npy"  # EDIT
batch_n_per_class:
  "ACAV100M_sample": 1024
  "adversarial_negative": 50
  "positive": 50

model_type: "dnn"
layer_size: 32
steps: 50000
max_negative_weight: 1500
target_false_positives_per_hour: 0.2
"""
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def config(model: str, phrase: str, phrases: list[str]) -> str:
    """The whole file for one keyword; ``model`` is the name of its folder."""
    negative = "".join(f"\n  - {quoted(one)}" for one in phrases) or " []"
    return _TEMPLATE.format(model=quoted(model), phrase=quoted(phrase), phrases=negative)


def quoted(text: str) -> str:
    r"""A text as YAML has it between quotes: JSON's way, with what YAML may not hold escaped as well.

    >>> quoted('say "yes"\n'), quoted("\x85")
    ('"say \\"yes\\"\\n"', '"\\u0085"')
    """
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))
