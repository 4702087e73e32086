"""The README's first table is what its 20 seeds come to."""

import re

import numpy as np
import pytest
from conftest import ROOT

from initlab.runs.train import run
from tools.generated import read_block

SETTINGS = ("tracking.uri=null", "plots.frames=0", "diagnostics.names=[]", "diagnostics.rare=[]")


@pytest.mark.parametrize("init", ["he"])
def test_the_table_of_results_has_the_medians_and_quartiles_of_twenty_seeds(config, init):
    runs = [one.summary for one in run([config(f"init={init}", f"seed={k}", *SETTINGS) for k in range(20)])]
    [row] = [
        line
        for line in read_block(ROOT / "README.md", "results").splitlines()
        if line.startswith(f"| {init} |")
    ]
    cells = [cell.strip() for cell in row.strip("|").split("|")[1:]]
    numbers = ("initial_cost", 1), ("final_cost", 1), ("score_train", 100), ("score_test", 100)
    for cell, (name, unit) in zip(cells, numbers, strict=True):
        expected = np.percentile([unit * getattr(one, name) for one in runs], [50, 25, 75])
        written = [float(number) for number in re.findall(r"[0-9.]+", cell)]
        assert len(written) in (1, 3)
        assert written * (3 // len(written)) == pytest.approx(expected, rel=6e-3)
