"""``make screenshots``: what a browser shows of a sweep, MLflow's page and the report, into docs/."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from tools.browser import system_chromium

DOCS = Path(__file__).parent.parent / "docs"
SWEEP = ("-m", "init=zeros,random,he", "seed=range(0,12)")
PORT = "5087"
INITLAB = (sys.executable, "-m", "initlab")


def main() -> None:
    """Makes a sweep in a folder of its own and writes docs/mlflow.png and docs/report.png."""
    with tempfile.TemporaryDirectory() as name, system_chromium() as browser:
        if browser is None:
            raise SystemExit("screenshots need Chromium, such as Debian's package of that name")
        folder = Path(name)
        done = subprocess.run([*INITLAB, *SWEEP], cwd=folder, check=True, capture_output=True, text=True)
        report = re.findall(r"^multirun/\S+/report\.html$", done.stdout, re.MULTILINE)[-1]
        page = browser.new_page(viewport={"width": 1440, "height": 1120})
        page.set_default_timeout(60_000)
        with served(folder) as address:
            show_view(page, address)
            save(page, "mlflow.png")
        page.set_viewport_size({"width": 1200, "height": 1120})
        page.goto((folder / report).as_uri())
        page.wait_for_timeout(3000)  # its charts are drawn by scripts
        save(page, "report.png")


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Runs ``initlab ui`` on a folder's runs and gives the address that it prints."""
    with subprocess.Popen(
        [*INITLAB, "ui", "--port", PORT], cwd=folder, stdout=subprocess.PIPE, text=True
    ) as ui:
        assert ui.stdout is not None
        try:
            yield ui.stdout.readline().strip()
        finally:
            ui.terminate()


def show_view(page: Page, address: str) -> None:
    """Opens a view of MLflow's charts, closes the assistant and the banner, and waits for the pictures."""
    page.goto(address)
    page.locator(".rc-image-img").nth(2).wait_for()
    page.get_by_role("button", name="Close", exact=True).click()
    page.get_by_role("button", name="Hide banner").click()
    page.mouse.move(0, 0)
    page.wait_for_timeout(3000)  # the charts take their new widths


def save(page: Page, name: str) -> None:
    """Writes what a page shows as a PNG."""
    Image.open(BytesIO(page.screenshot())).convert("RGB").save(DOCS / name, optimize=True)


if __name__ == "__main__":
    main()
