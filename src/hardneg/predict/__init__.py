"""How likely each item is of each class, which labels are likely wrong, and when that can be believed.

Arrays in, arrays out. scikit-learn is loaded on first use, never by importing this package.
"""

from hardneg.predict._base import Model
from hardneg.predict.calibration import calibration_error, log_loss, temperature, tempered
from hardneg.predict.estimator import Estimator
from hardneg.predict.given import predictions_of
from hardneg.predict.hidden import conformal_p_values, told_apart
from hardneg.predict.knn import KNN
from hardneg.predict.label_errors import LabelErrors, label_errors
from hardneg.predict.logistic import Logistic
from hardneg.predict.membership import likeness_p_values, member_p_values
from hardneg.predict.noise import Noise, label_noise, true_class
from hardneg.predict.pooled import pooled
from hardneg.predict.predictions import Predictions, check_codes, check_probabilities
from hardneg.predict.propagation import Propagation
from hardneg.predict.registry import MODELS, make_model
from hardneg.predict.weakness import Strength, strength

__all__ = [
    "KNN",
    "MODELS",
    "Estimator",
    "LabelErrors",
    "Logistic",
    "Model",
    "Noise",
    "Predictions",
    "Propagation",
    "Strength",
    "calibration_error",
    "check_codes",
    "check_probabilities",
    "conformal_p_values",
    "label_errors",
    "label_noise",
    "likeness_p_values",
    "log_loss",
    "make_model",
    "member_p_values",
    "pooled",
    "predictions_of",
    "strength",
    "temperature",
    "tempered",
    "told_apart",
    "true_class",
]
