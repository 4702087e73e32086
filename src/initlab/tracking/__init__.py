"""Where runs are kept: everything that knows MLflow."""

from initlab.tracking.artifacts import image_files
from initlab.tracking.tracker import Description, Tracker
from initlab.tracking.writer import Ending, Series

__all__ = ["Description", "Ending", "Series", "Tracker", "image_files"]
