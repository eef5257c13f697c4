"""Products in a precision that suits a device (PyTorch), and what rounding to it takes off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal

from hardneg.errors import MissingExtraError

__all__ = ["Precision", "Rounded", "product", "products_in", "torch_library"]

Precision = Literal["float32", "tf32", "bf16"]
Tensor = Any

_VANISHING = 2.0**-62  # what is shorter may vanish when it is squared


@dataclass(frozen=True, eq=False)
class Rounded:
    """Vectors in the precision of the products, and a bound on the length of what that took off, shape ``(n,)``.

    TF32 keeps 10 bits and may cut off the others, so up to 2^-10 of the length. Of bfloat16, which keeps 7 and rounds
    to the nearest, it is measured: up to 2^-8, mostly half of that.
    """

    vectors: Tensor
    lost: Tensor

    @classmethod
    def of(cls, vectors: Tensor, precision: Precision) -> Rounded:
        """Round vectors of shape ``(n, d)``."""
        import torch

        if precision == "float32":
            return cls(vectors, torch.zeros(len(vectors), device=vectors.device))
        low = vectors.to(torch.bfloat16) if precision == "bf16" else vectors
        lost = (low.float() - vectors).norm(dim=1) if precision == "bf16" else vectors.norm(dim=1) * 2.0**-10
        return cls(low, lost + vectors.shape[1] * _VANISHING)


def torch_library() -> ModuleType:
    """PyTorch; raises MissingExtraError where it is not there."""
    try:
        import torch
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), extra="gpu") from None
    return torch  # type: ignore[no-any-return]


def product(left: Tensor, right: Tensor) -> Tensor:
    """Every row with every row, summed in float32; where PyTorch cannot, bfloat16 is multiplied as float32."""
    import torch

    if left.dtype == torch.float32:
        return left @ right.T
    if left.is_cuda:
        try:
            return torch.mm(left, right.T, out_dtype=torch.float32)
        except (TypeError, NotImplementedError):  # before PyTorch 2.8, and on some cards
            pass
    return left.float() @ right.float().T


@contextmanager
def products_in(precision: Precision) -> Iterator[None]:
    """Whether float32 products may be rounded to TF32 is a setting of the whole process: put back afterwards."""
    import torch

    backends: Any = torch.backends
    tf32 = precision == "tf32"
    if hasattr(backends.cuda.matmul, "fp32_precision"):
        name = "tf32" if tf32 else "ieee"
        settings: list[tuple[Any, str, Any]] = [
            (one.matmul, "fp32_precision", name) for one in (backends.cuda, backends.mkldnn)
        ]
    else:  # PyTorch before 2.9
        settings = [(backends.cuda.matmul, "allow_tf32", tf32)]
    before = [getattr(where, name) for where, name, _ in settings]
    try:
        for where, name, value in settings:
            setattr(where, name, value)
        yield
    finally:
        for (where, name, _), value in zip(settings, before, strict=True):
            setattr(where, name, value)
