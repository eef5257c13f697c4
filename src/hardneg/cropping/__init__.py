"""From pictures of people to faces cut out, a folder for each person: what ``hardneg faces`` does."""

from hardneg.cropping._rules import Rules, Several
from hardneg.cropping.crop import Cropped, crop_faces

__all__ = ["Cropped", "Rules", "Several", "crop_faces"]
