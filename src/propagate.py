"""``python -m src.propagate``: the microscope on an untrained network."""

from initlab.propagate_cli import main

if __name__ == "__main__":
    main()
