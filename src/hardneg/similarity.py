"""Formula and direction of a similarity. Above this file, higher always means more alike, so harder."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, get_args
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from hardneg.errors import InputError, OptionError
from hardneg.matrix import KINDS, Matrix, blocks, row_bytes, row_numbers
from hardneg.parallel import each, spare
from hardneg.ragged import IntArray

__all__ = ["FloatArray", "Matrix", "Similarity", "check_vectors", "pair_scores", "prepared", "wide_rows", "zero_rows"]

FloatArray = NDArray[np.float32]
Squares = NDArray[np.float64]  # the product of each vector with itself
Similarity = Literal["cosine", "dot", "euclidean"]


# Pairs are scored in slices of about this many float64 numbers a side (4 MiB), which stay in a processor's cache.
_SLICE = 524_288
_ROW = 8192
_SLICES, _MOST = 4, 64  # in a row on one thread, at least and at most
_RUN = 16  # pairs of one row: with fewer, to look for runs costs more than its vector for each pair
_WASTE = 1.25  # times as many pairs as there are may be worked out, so that many runs are at one time
_FINITE: WeakSet[Matrix] = WeakSet()  # vectors on disk that hold no NaN and no infinity
_HELD = 32 * 2**20  # bytes of one side's rows in memory at a time, where they do not live there


def check_similarity(name: str) -> None:
    """Raise OptionError unless ``name`` is a known similarity."""
    if name not in get_args(Similarity):
        raise OptionError(f"The 'similarity' must be one of {', '.join(get_args(Similarity))}. Got '{name}'.")


def check_vectors(vectors: Matrix, what: str, *, rows: int | None = None) -> Matrix:
    """Return vectors of shape ``(n, d)``, or say what is wrong with them.

    float32, float16 and int8 stay as they are, in memory (C-ordered) or on disk; other numbers become float32 in
    memory.

    Raises InputError for another shape, another number of rows than ``rows``, or a value that is not finite.
    """
    result = _sound_type(vectors)
    if len(result.shape) != 2 or result.shape[1] == 0:
        raise InputError(f"The {what} vectors must have shape (n, d). Got {result.shape}.")
    if rows is not None and len(result) != rows:
        raise InputError(
            f"There must be one {what} vector for each id: {rows} ids, {len(result)} vectors.",
            remedy="Give vectors in the order of the ids, or name their ids.",
        )
    bad = unfinite_rows(result)
    if len(bad):
        raise InputError(
            f"{len(bad)} of the {len(result)} {what} vectors hold NaN or infinity (first: row {bad[0]}).",
            remedy="Encode these again, or leave them out; half precision that overflows is a common cause.",
        )
    return result


def _sound_type(vectors: Matrix) -> Matrix:
    """The vectors in a type that is kept; a matrix of another type, a list or a tensor becomes an array."""
    kind = getattr(vectors, "dtype", None)
    kept = isinstance(kind, np.dtype) and kind in KINDS
    if isinstance(kind, np.dtype) and not isinstance(vectors, np.ndarray):
        return vectors if kept else np.asarray(vectors[:], np.float32)
    array = np.asarray(vectors)
    return np.ascontiguousarray(array, array.dtype if kept else np.float32) if array.ndim else array


def unfinite_rows(vectors: Matrix) -> IntArray:
    """The rows that hold NaN or infinity, in rising order. What is on disk is read through for this once."""
    on_disk = not isinstance(vectors, np.ndarray)
    if vectors.dtype.kind not in "fc" or (on_disk and vectors in _FINITE):
        return np.zeros(0, np.int64)
    found = []
    for start, block in blocks(vectors):
        with np.errstate(invalid="ignore"):  # infinity less infinity
            total = block.sum(dtype=np.float64)
        if not np.isfinite(total):
            found.append(start + np.flatnonzero(~np.isfinite(block).all(axis=1)))
    if on_disk and not found:
        _FINITE.add(vectors)
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def zero_rows(vectors: Matrix) -> NDArray[np.bool_]:
    """Which rows have length zero, shape ``(n,)``: they have no direction, so no cosine."""
    out = np.empty(len(vectors), bool)
    for start, block in blocks(vectors):
        out[start : start + len(block)] = ~block.any(axis=1)
    return out


def prepared(vectors: FloatArray, similarity: Similarity) -> FloatArray:
    """Vectors whose plain dot product orders like ``similarity`` (unit length for cosine)."""
    if similarity != "cosine":
        return vectors
    return scaled(vectors, lengths(vectors))


def wide_rows(vectors: Matrix, rows: IntArray, similarity: Similarity) -> NDArray[np.float64]:
    """Some vectors in float64 as they are compared: of unit length for cosine, but for those without a direction.

    >>> wide_rows(np.array([[3.0, 4.0], [0.0, 0.0]], np.float32), np.array([1, 0]), "cosine").tolist()
    [[0.0, 0.0], [0.6, 0.8]]
    """
    found = np.asarray(vectors[rows], np.float64)
    if similarity != "cosine":
        return found
    lengths = np.sqrt(np.einsum("ij,ij->i", found, found))[:, None]
    return np.asarray(found / np.where(lengths == 0, 1, lengths))


def squared(vectors: Matrix) -> Squares:
    """The product of each vector with itself, bit for bit as a cosine needs it, shape ``(n,)``."""
    out = np.empty(len(vectors), np.float64)
    for start, block in blocks(vectors, _SLICE * vectors.dtype.itemsize):
        wide = block.astype(np.float64)
        out[start : start + len(block)] = _products(wide, wide)
    return out


def lengths(vectors: Matrix) -> NDArray[np.float64]:
    """The length of each vector, 1 for a zero vector, shape ``(n,)``."""
    norms = np.sqrt(squared(vectors))
    return np.where(norms == 0, 1, norms)


def scaled(vectors: FloatArray, lengths: NDArray[np.float64]) -> FloatArray:
    """Each vector divided by its length, in float64 and then rounded, without a float64 copy of all."""
    return np.divide(vectors, lengths[:, None], out=np.empty(vectors.shape, np.float32), casting="unsafe")


def pair_scores(
    left: Matrix, right: Matrix, left_rows: IntArray, right_rows: IntArray, similarity: Similarity,
    squares: tuple[Squares | None, Squares | None] = (None, None),
) -> FloatArray:  # fmt: skip
    """Score ``left[left_rows[i]]`` against ``right[right_rows[i]]``; higher means more alike.

    Every engine's survivors pass through here. The sums run in float64 over one pair at a time, so a score
    does not depend on which other pairs are scored with it, on where the vectors live, on a block size or on a
    thread count.

    It is quickest where the pairs of one row stand together, on either side. Who asks often about the same vectors may
    give their :func:`squared`, left and right, which then are not worked out again for each pair.

    Raises InputError for a score beyond the range of float32.

    ``cosine`` is x.y / sqrt(x.x * y.y), and 0 where one of them is zero, ``dot`` is x.y, ``euclidean`` is -|x - y|;
    each is rounded to float32 once, at the end.

    >>> x = np.array([[1.0, 0.0]], np.float32); y = np.array([[0.0, 2.0], [3.0, 0.0]], np.float32)
    >>> pair_scores(x, y, np.array([0, 0]), np.array([0, 1]), "cosine").tolist()
    [0.0, 1.0]
    """
    check_similarity(similarity)
    left_rows, right_rows = row_numbers(left_rows, len(left)), row_numbers(right_rows, len(right))
    xx, yy = (None if one is None else one[rows] for one, rows in zip(squares, (left_rows, right_rows), strict=True))
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
        out = _scores(_Side(left, left_rows, xx), _Side(right, right_rows, yy), similarity)
    else:
        out = np.empty(len(left_rows), np.float32)
        order = np.argsort(left_rows if isinstance(right, np.ndarray) else right_rows, kind="stable")
        step = max(1, _HELD // max(row_bytes(left), row_bytes(right)))
        for start in range(0, len(out), step):
            part = order[start : start + step]
            x = _Side(*_held(left, left_rows[part]), None if xx is None else xx[part])
            y = _Side(*_held(right, right_rows[part]), None if yy is None else yy[part])
            out[part] = _scores(x, y, similarity)
    if not np.isfinite(out).all():
        raise InputError(
            f"The {similarity} of some vectors is beyond the range of float32.", remedy="Scale the vectors down."
        )
    return out


def _held(matrix: Matrix, rows: IntArray) -> tuple[NDArray[Any], IntArray]:
    """The wanted rows in memory, each read once, and where each of ``rows`` is among them."""
    if isinstance(matrix, np.ndarray):
        return matrix, rows
    distinct, places = np.unique(rows, return_inverse=True)
    return matrix[distinct], places


@dataclass(frozen=True, eq=False)
class _Side:
    """One side of pairs: its vectors, the row of each pair and, where known, the square of that row."""

    vectors: NDArray[Any]
    rows: IntArray
    squares: Squares | None = None

    def part(self, which: slice) -> _Side:
        return _Side(self.vectors, self.rows[which], None if self.squares is None else self.squares[which])

    def runs(self) -> IntArray:
        """Where another row begins than the pair before has."""
        return np.flatnonzero(np.append(True, self.rows[1:] != self.rows[:-1]))


def _scores(x: _Side, y: _Side, similarity: Similarity) -> FloatArray:
    if len(y.runs()) < len(x.runs()):  # what follows looks for runs on the first side; products care for no order
        x, y = y, x
    out = np.empty(len(x.rows), np.float32)
    step = max(1, min(len(out), _SLICE // x.vectors.shape[1]))

    # Whole slices; enough for each thread to have several tasks, and few enough for each to use its memory long.
    task = step * min(_MOST, max(_SLICES, -(-len(out) // (step * 4 * spare()))))

    def score(begin: int) -> None:
        part = slice(begin, begin + task)
        with np.errstate(over="ignore"):
            out[part] = _some(x.part(part), y.part(part), step, similarity)

    each(score, range(0, len(out), task))
    return out


class _Room:
    """Memory for rows as float64, used again for every slice."""

    def __init__(self, vectors: NDArray[Any], step: int) -> None:
        self._vectors = vectors
        self._narrow = np.empty((step, vectors.shape[1]), vectors.dtype)
        self._wide = np.empty((step, vectors.shape[1]), np.float64)

    def take(self, rows: IntArray) -> NDArray[np.float64]:
        """These rows, shape ``(*rows.shape, d)``."""
        narrow, wide = self._narrow[: rows.size], self._wide[: rows.size]
        if self._vectors.flags.c_contiguous:  # else take would copy all of them
            self._vectors.take(rows.ravel(), axis=0, out=narrow, mode="clip")
        else:
            narrow = self._vectors[rows.ravel()]
        wide[:] = narrow
        return wide.reshape(*rows.shape, -1)


def _some(x: _Side, y: _Side, step: int, similarity: Similarity) -> NDArray[np.float64]:
    """The scores of some pairs, at most ``step`` at a time; where ``x`` comes in long runs, whole runs at a time."""
    begins, n = x.runs(), len(x.rows)
    if _RUN * len(begins) <= n:
        starts = np.union1d(np.arange(0, n, step), begins)
        lengths = np.diff(np.append(starts, n))
        cuts = _together(lengths, step)
    else:
        starts, lengths, cuts = np.arange(n), np.ones(n, np.int64), [*range(0, n, step), n]
    left, right = _Room(x.vectors, step), _Room(y.vectors, step)
    xx, yy = (np.empty(n, np.float64) if one.squares is None else one.squares for one in (x, y))
    products = np.empty(n, np.float64)
    for some in itertools.starmap(slice, pairwise(cuts)):
        # One row a run, as wide as the longest; a shorter one has its last pair again, which comes out the same.
        at = starts[some, None] + np.minimum(np.arange(lengths[some].max()), lengths[some, None] - 1)
        one, other = left.take(x.rows[starts[some, None]]), right.take(y.rows[at])
        if similarity == "cosine" and x.squares is None:
            xx[at] = _products(one, one)
        if similarity == "cosine" and y.squares is None:
            yy[at] = _products(other, other)
        gap = np.subtract(one, other, out=other) if similarity == "euclidean" else None
        products[at] = _products(one, other) if gap is None else _products(gap, gap)
    if similarity == "euclidean":
        return np.asarray(-np.sqrt(products), np.float64)
    if similarity == "dot":
        return products
    found = np.sqrt(xx * yy)
    return np.asarray(products / np.where(found == 0, 1, found), np.float64)


def _together(lengths: IntArray, room: int) -> list[int]:
    """Where to cut runs so that those between two cuts, each as wide as the widest, fill a room and waste little.

    >>> _together(np.array([3, 3, 4, 9, 2]), 10)
    [0, 2, 3, 4, 5]
    """
    cuts, widest, held = [0], 0, 0
    for place, length in enumerate(lengths.tolist()):
        widest, held = max(widest, length), held + length
        if widest * (place + 1 - cuts[-1]) > min(room, _WASTE * held):
            cuts.append(place)
            widest, held = length, length
    return [*cuts, len(lengths)]


def _products(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """The product of each row of ``x`` with that row of ``y``, of it where one has only one.

    Row by row, so that it does not depend on the other rows; longer rows than ``_ROW`` might be cut up by threads.
    """
    if x.shape[-1] > _ROW:
        return np.asarray(np.einsum("...j,...j->...", x, y), np.float64)
    return np.asarray(np.matmul(x[..., None, :], y[..., :, None])[..., 0, 0], np.float64)
