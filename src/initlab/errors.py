"""The errors whose message alone tells a user what to change."""


class InitlabError(Exception):
    """One readable line: the key or file, its value, and what would be right."""


class ConfigError(InitlabError):
    """A config that cannot be trained as it stands."""


class TrackingError(InitlabError):
    """A tracking store that cannot be opened or written."""
