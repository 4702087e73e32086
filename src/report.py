"""``python -m src.report``: a report of sweeps from what MLflow holds."""

from initlab.terminal.report import main

if __name__ == "__main__":
    main()
