"""Pages in a real browser, with the errors they complain of."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import ConsoleMessage, Page

from tools.browser import system_chromium

Open = Callable[..., tuple[Page, list[str]]]


@contextmanager
def pages() -> Iterator[Open]:
    """Gives what opens an empty page of so many pixels, as light or dark as asked, for somebody who has seen
    nothing yet: the page, and the errors that its console and its scripts will have shown.
    """
    with system_chromium() as browser:
        if browser is None:
            pytest.skip("there is no Chromium on this machine")

        def open_page(width: int, height: int, dark: bool = False) -> tuple[Page, list[str]]:
            size, scheme = {"width": width, "height": height}, "dark" if dark else "light"
            page = browser.new_context(viewport=size, color_scheme=scheme).new_page()
            page.set_default_timeout(60_000)  # other tests run beside it
            errors: list[str] = []

            def hear(message: ConsoleMessage) -> None:
                if message.type == "error":
                    errors.append(f"{message.text} ({message.location['url']})")

            page.on("console", hear)
            page.on("pageerror", lambda error: errors.append(str(error)))
            return page, errors

        yield open_page
