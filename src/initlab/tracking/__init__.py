"""Where runs are kept: everything that knows MLflow."""

from initlab.tracking.metrics import Series
from initlab.tracking.tracker import Description, Tracker

__all__ = ["Description", "Series", "Tracker"]
