"""Finds the packages; everything else that setuptools must know stands in pyproject.toml."""

from setuptools import find_namespace_packages, setup

setup(
    packages=[
        *find_namespace_packages("src", include=["initlab", "initlab.*", "hydra_plugins"]),
        "initlab.conf",
    ],
    package_dir={"": "src", "initlab.conf": "conf"},
)
