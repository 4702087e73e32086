"""Makes examples/lesson.ipynb a page of the docs. mkdocs.yml names this hook."""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files

EXAMPLES = Path(__file__).parent.parent / "examples"


@event_priority(100)  # before mkdocs-jupyter looks for notebooks
def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the notebook to the files of the docs."""
    files.append(File("lesson.ipynb", str(EXAMPLES), config.site_dir, config.use_directory_urls))
    return files
