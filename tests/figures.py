"""What the tests of figures share: which texts are drawn, and whether they can be read."""

from itertools import combinations
from unittest.mock import patch

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text


def texts_of(figure):
    """Returns every text that a figure draws, with its box in pixels."""
    drawn, draw = [], Text.draw

    def note(text, renderer, *args, **kwargs):
        if text.get_visible() and text.get_text().strip():
            drawn.append((text.get_text(), text.get_window_extent(renderer)))
        return draw(text, renderer, *args, **kwargs)

    with patch.object(Text, "draw", note):
        FigureCanvasAgg(figure).draw()
    return drawn


def assert_readable(figure):
    """Asserts that no text of a figure leaves it or lies over another one, by more than a pixel."""
    width, height = figure.bbox.size
    texts = texts_of(figure)
    assert texts
    for text, box in texts:
        inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1
        assert inside, f"{text!r} leaves the figure"
    for (one, here), (other, there) in combinations(texts, 2):
        beside = here.x1 <= there.x0 + 1 or there.x1 <= here.x0 + 1
        below = here.y1 <= there.y0 + 1 or there.y1 <= here.y0 + 1
        assert beside or below, f"{one!r} lies over {other!r}"
