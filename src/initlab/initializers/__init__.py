"""How weights may start: functions that return a layer's weights, or a network's.

| function                           | law of a weight                        | source                     |
|------------------------------------|----------------------------------------|----------------------------|
| `zeros`, `ones`, `constant`        | 0, 1 or c                              | the course lesson          |
| `random`, `small_random`, `normal` | N(0, σ²)                               | the course lesson, Keras   |
| `uniform`, `truncated_normal`      | U(low, high), N(0, σ²) cut at ±2σ      | Keras                      |
| `xavier`, `lecun_…`                | variance 1 / fan_in                    | LeCun et al. 1998          |
| `he`, `he_…`                       | variance 2 / fan_in                    | He et al. 2015             |
| `glorot_…`                         | variance gain² / fan_avg               | Glorot & Bengio 2010       |
| `kaiming`                          | variance gain² / n                     | He et al. 2015             |
| `variance_scaling`                 | variance scale / n, of all these       | Keras, JAX                 |
| `pytorch_default`                  | U(±1 / √fan_in), and its biases        | PyTorch's `nn.Linear`      |
| `mean_field`                       | N(0, σw² / fan_in), biases N(0, σb²)   | Poole et al. 2016          |
| `identity`                         | gain · I                               | Le et al. 2015             |
| `orthogonal`                       | W Wᵀ = gain² I                         | Saxe et al. 2013           |
| `sparse`                           | N(0, σ²) in 15 places of a row, else 0 | Martens 2010               |
| `hadamard`                         | I, or ±c where the width grows         | Zhao et al. 2022 (ZerO)    |
| `zero_last`, of a network          | `he`, but 0 in the last layer          | Zhang et al. 2019 (Fixup)  |
| `lsuv`, of a network               | orthogonal, then scaled on the data    | Mishkin & Matas 2016       |
| `metainit`, of a network           | N(0, σ_l²), the σ_l learned            | Dauphin & Schoenholz 2019  |

A start of a layer is ``(rng, shape, *, hyper-parameters)`` with shape (fan_out, fan_in) and returns float64.
Those that draw are made of the same standard normals, so one seed gives every start the same underlying
numbers. A start of a network (see ``of_network``) is ``(rng, network, X, *, hyper-parameters)``.
"""

from initlab.initializers.fixed import (
    constant,
    normal,
    ones,
    random,
    small_random,
    truncated_normal,
    uniform,
    zeros,
)
from initlab.initializers.meta import metainit
from initlab.initializers.of_networks import lsuv, zero_last
from initlab.initializers.scaled import (
    glorot_normal,
    glorot_truncated,
    glorot_uniform,
    he,
    he_truncated,
    he_uniform,
    kaiming,
    lecun_normal,
    lecun_truncated,
    lecun_uniform,
    variance_scaling,
    xavier,
)
from initlab.initializers.starting import Initializer, Shape, initial_parameters, layer_by_layer, of_network
from initlab.initializers.structured import hadamard, identity, orthogonal, sparse
from initlab.initializers.with_biases import mean_field, pytorch_default

__all__ = [
    "Initializer",
    "Shape",
    "constant",
    "glorot_normal",
    "glorot_truncated",
    "glorot_uniform",
    "hadamard",
    "he",
    "he_truncated",
    "he_uniform",
    "identity",
    "initial_parameters",
    "kaiming",
    "layer_by_layer",
    "lecun_normal",
    "lecun_truncated",
    "lecun_uniform",
    "lsuv",
    "mean_field",
    "metainit",
    "normal",
    "of_network",
    "ones",
    "orthogonal",
    "pytorch_default",
    "random",
    "small_random",
    "sparse",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "xavier",
    "zero_last",
    "zeros",
]
