"""What makes the page safe: data that cannot become markup, and a policy that forbids what is not ours."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from typing import Any

from markupsafe import Markup

__all__ = ["embedded_json", "policy"]


def embedded_json(value: Any) -> Markup:
    r"""A value as JSON that no text inside it can end or turn into markup.

    >>> str(embedded_json("</script>"))
    '"\\u003c/script\\u003e"'
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - escaped above


def policy(style: str, script: str) -> str:
    """A content security policy that lets in this style and this script, and no network at all."""
    styles, scripts = (b64encode(sha256(text.encode()).digest()).decode() for text in (style, script))
    return (
        f"default-src 'none'; style-src 'sha256-{styles}'; script-src 'sha256-{scripts}'; "
        "img-src data:; media-src data:; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
