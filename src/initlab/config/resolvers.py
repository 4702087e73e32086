"""What Initlab's configs ask for by ``${…}`` beside what OmegaConf and Hydra know."""

from uuid import uuid4

from omegaconf import OmegaConf


def setup_resolvers() -> None:
    """Makes ``${unique:}`` known: eight letters and digits that keep apart the folders of two sweeps that
    start in the same second.
    """
    OmegaConf.register_new_resolver("unique", lambda: uuid4().hex[:8], use_cache=True, replace=True)
