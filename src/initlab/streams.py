"""Every stream of random numbers that a run draws from. No two of them are ever the same.

| stream           | what is drawn from it                                        | seeded by             |
|------------------|--------------------------------------------------------------|-----------------------|
| WEIGHTS          | the first weights, layer by layer, as in the published lesson | seed                  |
| BATCHES          | the order of the examples, anew in every epoch               | (seed, 1)             |
| BIASES           | the first biases, where ``bias`` draws them                  | (seed, 2)             |
| VALIDATION       | a synthetic dataset's validation part                        | (dataset.seed, 3)     |
| INPUTS           | the microscope's pairs of inputs                             | (seed, 5)             |
| GRADIENTS        | the microscope's gradients from above                        | (seed, 6)             |
| OTHER_INPUTS     | the microscope's inputs for starts and layers that see data  | (seed, 7)             |
| CHAIN            | the law of finite width that the microscope compares with     | (0, 8)                |
| derived_stream   | what a start draws beside weights: sparse places, batches    | a state of WEIGHTS    |

All are NumPy's legacy RandomState, which is frozen for good, and which the published lesson draws from. A
dataset has a seed of its own: ``dataset.seed`` is not the run's, and the training and test parts of synthetic
ones are drawn from it and the next seed, as in the published lesson.
"""

import numpy as np

WEIGHTS, BATCHES, BIASES, VALIDATION, INPUTS, GRADIENTS, OTHER_INPUTS, CHAIN = 0, 1, 2, 3, 5, 6, 7, 8


def stream(seed: int, purpose: int) -> np.random.RandomState:
    """Returns the stream of a run's random numbers for one purpose of the table above, at its beginning."""
    return np.random.RandomState(seed if purpose == WEIGHTS else [seed, purpose])


def derived_stream(rng: np.random.RandomState) -> np.random.RandomState:
    """Returns a stream that follows from where rng stands and leaves it there.

    A start draws from it what is not weights, so that one seed gives every start the same normals.
    """
    state = rng.get_state(legacy=False)
    return np.random.RandomState([*state["state"]["key"], state["state"]["pos"], state["has_gauss"]])
