"""``python -m src.train``: the same as the installed command ``initlab``."""

from initlab.signals import stop_on_signals

if __name__ == "__main__":
    stop_on_signals()  # before anything is imported that takes time
    from initlab.terminal.command import main

    main()
