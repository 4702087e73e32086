"""The JavaScript that draws a page's charts, whole, so that a page needs no network."""

import os
import tempfile
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

EXPORTS = "window.vegaEmbed = vegaEmbed;"  # what the page needs of the bundle


@lru_cache(maxsize=1)
def vega_script() -> str:
    """Returns Vega, Vega-Lite and Vega-Embed, to stand inside a script element.

    To bundle them takes three seconds, which every sweep would pay, so the bundle of each version is kept in
    the user's cache.
    """
    kept = _cache() / f"vega-{version('vl-convert-python')}-{sha256(EXPORTS.encode()).hexdigest()[:8]}.js"
    if kept.is_file():
        return kept.read_text(encoding="utf-8")
    from vl_convert import javascript_bundle

    bundle: str = javascript_bundle(EXPORTS)
    script = bundle.replace("</script", r"<\/script").replace("<!--", r"<\!--")
    with suppress(OSError):  # a home that cannot be written to costs the seconds, and no page
        _keep(kept, script)
    return script


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "initlab"


def _keep(path: Path, text: str) -> None:
    """Writes a file as a whole or not at all, as several processes may do at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
        file.write(text)
    os.replace(file.name, path)
