"""A detector of any library over pictures: what it finds, as results that are mined.

>>> import json, tempfile
>>> from pathlib import Path
>>> from PIL import Image
>>> folder = Path(tempfile.mkdtemp())
>>> Image.new("RGB", (40, 30)).save(folder / "a.png")
>>> middle = Detector(call=lambda pictures: [[[10, 10, 30, 20, 0.5]] for _ in pictures], names=((0, "thing"),))
>>> summary = detect(folder, middle, out=folder / "found.json")
>>> json.loads((folder / "found.json").read_text())
[{'image_id': 'a.png', 'category_name': 'thing', 'bbox': [10.0, 10.0, 20.0, 10.0], 'score': 0.5}]
"""

from hardneg.detecting.detectors import Detector
from hardneg.detecting.views import View, views_of
from hardneg.detecting.work import detect, files_of

__all__ = ["Detector", "View", "detect", "files_of", "views_of"]
