"""``python -m src.sync``: delivers runs that wait for a store."""

from initlab.terminal.sync import main

if __name__ == "__main__":
    main()
