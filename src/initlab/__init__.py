"""What does the way a neural network's weights start do to its training?"""

__version__ = "0.2.0"
