"""Where runs are kept: everything that knows MLflow."""

from initlab.tracking.artifacts import image_files
from initlab.tracking.description import Data, Description
from initlab.tracking.tracker import Run, Tracker
from initlab.tracking.writer import Series

__all__ = ["Data", "Description", "Run", "Series", "Tracker", "image_files"]
