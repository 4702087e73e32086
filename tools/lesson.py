"""``make lesson``: runs the lesson's notebook and keeps what its cells put out."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

LESSON = Path(__file__).parent.parent / "examples" / "lesson.ipynb"
LONGEST = 300  # seconds that a cell may take


def executed(notebook: Path, folder: Path) -> NotebookNode:
    """Returns a notebook with what its cells put out when they run in a folder, by this Python.

    Raises nbclient's CellExecutionError where a cell fails.
    """
    lesson: NotebookNode = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    client = NotebookClient(
        lesson,
        kernel_name="python3",
        timeout=LONGEST,
        record_timing=False,
        coalesce_streams=True,  # what is printed is one output, however it came in
        extra_arguments=["--log-level=ERROR"],  # it warns of a connection that does not leave this machine
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute(env=_environment(folder))
    for cell in lesson.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _is_ended_progress(output)]
    lesson.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},  # without the version of this Python
    }
    return lesson


def _environment(folder: Path) -> Mapping[str, str]:
    """Returns the variables that the kernel sees: it tracks into the folder and leaves nothing elsewhere."""
    kept = {key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"}
    return {
        **kept,
        "IPYTHONDIR": str(folder / ".ipython"),
        "PYTHONWARNINGS": "ignore:IProgress not found",  # tqdm's, which MLflow imports where it is installed
        "PATH": f"{Path(sys.executable).parent}:{kept['PATH']}",
    }


def _is_ended_progress(output: NotebookNode) -> bool:
    """Returns whether an output is the progress line, which becomes empty at its end."""
    return bool(output.output_type == "display_data" and output.data == {"text/plain": ""})


def main() -> None:
    """Writes examples/lesson.ipynb anew."""
    with TemporaryDirectory() as folder:
        lesson = executed(LESSON, Path(folder))
    nbformat.write(lesson, LESSON)  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
