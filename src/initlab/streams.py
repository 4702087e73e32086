"""Every stream of random numbers that a run draws from. No two of them are ever the same.

| stream           | what is drawn from it                                        | seeded by             |
|------------------|--------------------------------------------------------------|-----------------------|
| WEIGHTS          | the first weights, layer by layer, as in the published lesson | seed                  |
| BATCHES          | the order of the examples, anew in every epoch               | (seed, 1)             |
| BIASES           | the first biases, where ``bias`` draws them                  | (seed, 2)             |
| VALIDATION       | a drawn dataset's validation part                            | (dataset.seed, 3)     |
| TRAINING         | a drawn dataset's training part                              | (dataset.seed, 4)     |
| INPUTS           | the microscope's pairs of inputs                             | (seed, 5)             |
| GRADIENTS        | the microscope's gradients from above                        | (seed, 6)             |
| OTHER_INPUTS     | the microscope's inputs for starts and layers that see data  | (seed, 7)             |
| TEST             | a drawn dataset's test part                                  | (dataset.seed, 8)     |
| SPLIT            | which measured examples are in which part                    | (dataset.seed, 9)     |
| DIRECTIONS       | directions that estimate the Hessian's trace                 | (seed, 10, iteration) |
| CHAIN            | the law of finite width that the microscope compares with    | (0, 11)               |
| derived_stream   | what a start draws beside weights: sparse places, batches    | a state of WEIGHTS    |
| lessons_stream   | the data of dataset.seed 1, as the published lesson drew it  | 1, the test part 2    |

All are NumPy's legacy RandomState, which is frozen for good, and which the published lesson draws from. A
dataset has a seed of its own: ``dataset.seed`` is not the run's, and may be the same number.

The lesson draws its data from the streams of the seeds 1 and 2, which are also the weights' of runs with
these seeds. Data that begin with a shuffle do not keep step with such weights, and at ``dataset.seed`` 1 they
are drawn as the lesson drew them: circles, moons, spirals, linear, and the splits of measured data. Of its
300 and 100 examples no draw is a weight; of other numbers of examples the noise of some may be a weight that
comes late in a wide network. Data that begin as weights do (blobs, gaussian_quantiles, xor) have streams of
their own at every seed. So have those of mnist1d but at ``dataset.seed`` 42, at which it is as published.
"""

import numpy as np

WEIGHTS, BATCHES, BIASES, VALIDATION, TRAINING, INPUTS, GRADIENTS, OTHER_INPUTS = range(8)
TEST, SPLIT, DIRECTIONS, CHAIN = range(8, 12)
LESSONS_DATA = {(1, TRAINING): 1, (1, TEST): 2, (1, SPLIT): 1}


def stream(seed: int, purpose: int, *more: int) -> np.random.RandomState:
    """Returns the stream of a run's random numbers for one purpose of the table above, at its beginning."""
    return np.random.RandomState(seed if purpose == WEIGHTS else [seed, purpose, *more])


def lessons_stream(seed: int, purpose: int) -> np.random.RandomState:
    """Returns the stream of a part of a dataset: at the lesson's seed the lesson's, else the table's own."""
    lessons = LESSONS_DATA.get((seed, purpose))
    return stream(seed, purpose) if lessons is None else np.random.RandomState(lessons)


def derived_stream(rng: np.random.RandomState) -> np.random.RandomState:
    """Returns a stream that follows from where rng stands and leaves it there.

    A start draws from it what is not weights, so that one seed gives every start the same normals.
    """
    state = rng.get_state(legacy=False)
    return np.random.RandomState([*state["state"]["key"], state["state"]["pos"], state["has_gauss"]])
