"""``python -m src.replicate``: published results, measured anew."""

from initlab.terminal.replicate import main

if __name__ == "__main__":
    main()
