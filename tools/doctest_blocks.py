"""Shows the examples in docstrings as code. mkdocs.yml gives this extension to the API reference."""

import re
from typing import Any

import griffe

EXAMPLE = re.compile(r"^>>> .+(?:\n.+)*", re.MULTILINE)  # up to the next empty line


class DoctestBlocks(griffe.Extension):
    """Makes a block of Python code of every example that begins with >>>."""

    def on_package(self, *, pkg: griffe.Module, **kwargs: Any) -> None:
        """Is called for the whole package, and ``on_object`` for everything in it."""
        self.on_object(obj=pkg)

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Puts fences around the examples of an object's docstring."""
        if obj.docstring:
            obj.docstring.value = EXAMPLE.sub("```pycon\n\\g<0>\n```", obj.docstring.value)
