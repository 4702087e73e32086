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
| `rai`                              | N(0, .36 / fan_in), one of a unit Beta | Lu et al. 2019             |
| `identity`                         | gain · I                               | Le et al. 2015             |
| `orthogonal`                       | W Wᵀ = gain² I                         | Saxe et al. 2013           |
| `sparse`                           | N(0, σ²) in 15 places of a row, else 0 | Martens 2010               |
| `hadamard`                         | I, or ±c where the width grows         | Zhao et al. 2022 (ZerO)    |
| `zero_last`, of a network          | `he`, but 0 in the last layer          | Zhang et al. 2019 (Fixup)  |
| `fixup`, of a residual network      | `he`, scaled by the branches' number   | Zhang et al. 2019          |
| `mup`, of a network                | gain² / fan_in, 1 / fan_in² at last    | Yang & Hu 2021             |
| `lsuv`, of a network               | orthogonal, then scaled on the data    | Mishkin & Matas 2016       |
| `metainit`, of a network           | N(0, σ_l²), the σ_l learned            | Dauphin & Schoenholz 2019  |

Some are others by another name, and give the same weights: ``xavier`` is ``lecun_normal``; ``he`` is
``mean_field`` at its defaults, and to rounding ``kaiming`` at its defaults with relu; ``lecun_truncated`` is
``variance_scaling`` at its defaults.

A start of a layer is ``(rng, shape, *, hyper-parameters)`` with shape (fan_out, fan_in) and returns float64.
Those that draw are made of the same standard normals, so one seed gives every start the same underlying
numbers. A start of a network (see ``of_network``) is ``(rng, network, X, *, hyper-parameters)``.
"""

from initlab.initializers.independent import constant as constant
from initlab.initializers.independent import glorot_normal as glorot_normal
from initlab.initializers.independent import glorot_truncated as glorot_truncated
from initlab.initializers.independent import glorot_uniform as glorot_uniform
from initlab.initializers.independent import he as he
from initlab.initializers.independent import he_truncated as he_truncated
from initlab.initializers.independent import he_uniform as he_uniform
from initlab.initializers.independent import kaiming as kaiming
from initlab.initializers.independent import lecun_normal as lecun_normal
from initlab.initializers.independent import lecun_truncated as lecun_truncated
from initlab.initializers.independent import lecun_uniform as lecun_uniform
from initlab.initializers.independent import mean_field as mean_field
from initlab.initializers.independent import normal as normal
from initlab.initializers.independent import ones as ones
from initlab.initializers.independent import pytorch_default as pytorch_default
from initlab.initializers.independent import rai as rai
from initlab.initializers.independent import random as random
from initlab.initializers.independent import small_random as small_random
from initlab.initializers.independent import truncated_normal as truncated_normal
from initlab.initializers.independent import uniform as uniform
from initlab.initializers.independent import variance_scaling as variance_scaling
from initlab.initializers.independent import xavier as xavier
from initlab.initializers.independent import zeros as zeros
from initlab.initializers.of_networks import fixup as fixup
from initlab.initializers.of_networks import lsuv as lsuv
from initlab.initializers.of_networks import metainit as metainit
from initlab.initializers.of_networks import mup as mup
from initlab.initializers.of_networks import zero_last as zero_last
from initlab.initializers.starting import Initializer as Initializer
from initlab.initializers.starting import Shape as Shape
from initlab.initializers.starting import initial_parameters as initial_parameters
from initlab.initializers.starting import layer_by_layer as layer_by_layer
from initlab.initializers.starting import of_network as of_network
from initlab.initializers.structured import hadamard as hadamard
from initlab.initializers.structured import identity as identity
from initlab.initializers.structured import orthogonal as orthogonal
from initlab.initializers.structured import sparse as sparse
