"""Update rules, schedules of the learning rate, and clipping of gradients."""

from initlab.optimizers.rules import adagrad as adagrad
from initlab.optimizers.rules import adam as adam
from initlab.optimizers.rules import adamw as adamw
from initlab.optimizers.rules import gd as gd
from initlab.optimizers.rules import momentum as momentum
from initlab.optimizers.rules import nesterov as nesterov
from initlab.optimizers.rules import rmsprop as rmsprop
