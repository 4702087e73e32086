"""``python -m src.propagate``: the microscope on an untrained network."""

from initlab.microscope.command import main

if __name__ == "__main__":
    main()
