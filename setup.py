"""Finds the packages; everything else that setuptools must know stands in pyproject.toml."""

from setuptools import find_namespace_packages, setup

setup(
    packages=[
        *find_namespace_packages("src", include=["initlab", "initlab.*", "hydra_plugins"]),
        "initlab.conf",
        "initlab.replications",
        *(
            f"initlab.replications.{name}"
            for name in find_namespace_packages("replications", exclude=["*__pycache__*"])
        ),
    ],
    package_dir={"": "src", "initlab.conf": "conf", "initlab.replications": "replications"},
)
