"""``python -m initlab``: the same as the installed command ``initlab``."""

from initlab.terminal.entry import main

if __name__ == "__main__":
    main()
