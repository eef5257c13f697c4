"""How likely each item is of each class, which labels are likely wrong, and when that can be believed.

Arrays in, arrays out. scikit-learn and cleanlab are loaded on first use, never by importing this package.
"""

from hardneg.predict._base import Model
from hardneg.predict.calibration import calibration_error, log_loss, temperature, tempered
from hardneg.predict.estimator import Estimator
from hardneg.predict.given import predictions_of
from hardneg.predict.knn import KNN
from hardneg.predict.label_errors import LabelErrors, Likely, label_errors
from hardneg.predict.logistic import Logistic
from hardneg.predict.membership import member_p_values
from hardneg.predict.noise import Noise, confident_classes, label_noise, true_class
from hardneg.predict.pooled import pooled
from hardneg.predict.predictions import Codes, Predictions, check_codes, check_probabilities
from hardneg.predict.propagation import Propagation
from hardneg.predict.registry import MODELS, make_model
from hardneg.predict.weakness import Strength, strength, too_weak

__all__ = [
    "KNN",
    "MODELS",
    "Codes",
    "Estimator",
    "LabelErrors",
    "Likely",
    "Logistic",
    "Model",
    "Noise",
    "Predictions",
    "Propagation",
    "Strength",
    "calibration_error",
    "check_codes",
    "check_probabilities",
    "confident_classes",
    "label_errors",
    "label_noise",
    "log_loss",
    "make_model",
    "member_p_values",
    "pooled",
    "predictions_of",
    "strength",
    "temperature",
    "tempered",
    "too_weak",
    "true_class",
]
