"""The configs of Initlab: a package, so that an installed Initlab finds them too."""
