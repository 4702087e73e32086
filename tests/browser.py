"""A real browser: pages in the system's Chromium, driven by Playwright, with the errors they complain of."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import ConsoleMessage, Page, sync_playwright

Open = Callable[..., tuple[Page, list[str]]]

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = (
    "--no-sandbox",  # as root, in a container
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def chromium() -> Iterator[Open]:
    """Gives what opens an empty page of so many pixels, as light or dark as asked, in a browser that has seen
    nothing yet: the page, and the errors that its console and its scripts will have shown.
    """
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("there is no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))

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
        browser.close()
