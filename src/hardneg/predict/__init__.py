"""How likely each item is of each class, which labels are likely wrong, and when that can be believed.

Arrays in, arrays out. scikit-learn and cleanlab are loaded on first use, never by importing this package.
"""

from hardneg.predict._base import Model
from hardneg.predict.calibration import calibration_error, log_loss, temperature, tempered
from hardneg.predict.estimator import Estimator
from hardneg.predict.knn import KNN
from hardneg.predict.logistic import Logistic
from hardneg.predict.predictions import Codes, Predictions, check_codes, check_probabilities
from hardneg.predict.propagation import Propagation
from hardneg.predict.registry import MODELS, make_model
from hardneg.predict.weakness import Strength, strength, too_weak

__all__ = [
    "KNN",
    "MODELS",
    "Codes",
    "Estimator",
    "Logistic",
    "Model",
    "Predictions",
    "Propagation",
    "Strength",
    "calibration_error",
    "check_codes",
    "check_probabilities",
    "log_loss",
    "make_model",
    "strength",
    "temperature",
    "tempered",
    "too_weak",
]
