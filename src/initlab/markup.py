"""Texts of others, such as names, inside of markdown: they show as they are and make no link or tag."""

import re


def escaped(text: str) -> str:
    """Returns a text that markdown shows as it is: no link, tag, code or cell begins or ends in it."""
    return re.sub(r"[\\`<|]|(?<=\])\(", lambda mark: f"\\{mark[0]}", text.replace("\n", " "))


def code(text: str) -> str:
    """Returns a text as code, between more backticks than there are in it."""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    space = " " if "`" in text else ""
    return f"{fence}{space}{text}{space}{fence}"
