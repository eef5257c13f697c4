"""Where candidates come from, one file a source. A new one: its file here, and its name in the list below."""

from hardneg.notation import Registry
from hardneg.sources._base import Propose, Source
from hardneg.sources.clusters import Clusters
from hardneg.sources.confusable import Confusable
from hardneg.sources.detections import Detections
from hardneg.sources.known_negatives import KnownNegatives
from hardneg.sources.lexical import Lexical
from hardneg.sources.neighbors import Neighbors
from hardneg.sources.predictions import Predictions
from hardneg.sources.segments import Segments
from hardneg.sources.uniform import Uniform
from hardneg.sources.union import Union

__all__ = [
    "SOURCES",
    "Clusters",
    "Confusable",
    "Detections",
    "KnownNegatives",
    "Lexical",
    "Neighbors",
    "Predictions",
    "Propose",
    "Segments",
    "Source",
    "Uniform",
    "Union",
]

SOURCES: Registry[Source] = Registry(
    "source",
    Source,  # type: ignore[type-abstract]
    [Clusters, Confusable, Detections, KnownNegatives, Lexical, Neighbors, Predictions, Segments, Uniform, Union],
)
