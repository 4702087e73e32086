"""What does the way a neural network's weights start do to its training?"""

__version__ = "0.1.0"
