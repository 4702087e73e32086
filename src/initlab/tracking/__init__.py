"""Where runs are kept: everything that knows MLflow."""

from initlab.tracking.artifacts import image_files
from initlab.tracking.tracker import Description, Run, Tracker
from initlab.tracking.writer import Series

__all__ = ["Description", "Run", "Series", "Tracker", "image_files"]
