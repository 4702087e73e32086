"""``python -m src.train``: the same as the installed command ``initlab``."""

from initlab.terminal.command import main

if __name__ == "__main__":
    main()
