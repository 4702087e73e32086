"""``python -m src.propagate``: the microscope on an untrained network."""

from initlab.terminal.propagate import main

if __name__ == "__main__":
    main()
