"""The layers of a network. Each owns all its rules: the signal's way forward and the gradient's way back, how
both change along a direction of the parameters (Pearlmutter 1994, 'Fast exact multiplication by the
Hessian'), and what mean-field theory says of them.

A layer is bound to its arrays: its parameters, what it reads and what it fills, each (R, n, m) of R runs and
m examples. ``forward`` fills its output. ``backward`` takes the derivative of the cost by the output and
fills that by the input; ``collect`` then fills that by the parameters. ``tangent`` and ``tangent_backward``
return new arrays, of as many directions (S, …) as they are given.
"""

import math
from typing import NamedTuple, Protocol

import numpy as np

from initlab.activations import Activation
from initlab.types import Array

EPSILON = 1e-5  # added to a variance before its root is taken, as in the paper and in PyTorch
MEMORY = 0.1  # the newest batch's share of the kept statistics, PyTorch's momentum
STEP = 1e-5  # of a difference of slopes: truncation and rounding are both near 1e-10 then


class Signal(NamedTuple):
    """A signal as mean-field theory follows it: of two inputs the mean square of the first, the product of
    both and the mean, each over a layer's units, and ``crowd``: the product of the first and any other input
    of a large batch of inputs that have nothing to do with each other.
    """

    square: float
    product: float
    mean: float = 0.0
    crowd: float = 0.0

    @property
    def correlation(self) -> float:
        """The correlation of the two inputs; NaN where no signal is left."""
        return self.product / self.square if self.square > 0 else math.nan


class Layer(Protocol):
    """What every layer can do."""

    def forward(self) -> None:
        """Fills the output."""

    def backward(self) -> None:
        """Fills the derivative of the cost by the input, from that by the output."""

    def collect(self) -> None:
        """Fills the derivative of the cost by the layer's parameters."""

    def tangent(self, direction: Array, dx: Array | None) -> Array:
        """Returns the change of the output when the parameters change along a direction (S, P), and the input
        by dx (None: not at all).
        """

    def tangent_backward(
        self, direction: Array, delta: Array, ddelta: Array, changes: Array
    ) -> tuple[Array, Array]:
        """Returns the derivative by the input and its change, from those by the output, delta and ddelta;
        adds the change of the gradient to ``changes`` (S, P). ``tangent`` must have run.
        """

    def mean_field(self, signal: Signal) -> Signal:
        """Returns the signal above the layer, in infinitely wide layers, and remembers the one below."""

    def mean_field_back(self, square: float) -> float:
        """Returns a gradient's mean square below the layer from that above; ``mean_field`` must have run."""


class Linear:
    """z = W a + b. Weights and bias are one block [W | b], (R, n_out, n_in + 1), and what the layer reads has
    a last row of ones, so that one matrix product gives z and one gives both gradients.

    ``where`` tells the block's place in flat parameters (R, P). ``sigma_w2`` and ``sigma_b2``, fan_in times
    the variance of a weight and the variance of a bias, are for mean-field theory and set by who asks it.
    """

    sigma_w2 = sigma_b2 = math.nan

    def __init__(self, parameters: Array, gradient: Array, where: tuple[int, int, int]) -> None:
        self.where = where
        self.block, self.gradient = self.view(parameters), self.view(gradient)
        self.W = self.block[..., :-1]
        self.W_T = self.W.mT
        self.is_outer = self.W.shape[-2] == 1

    def connect(self, z: Array, delta: Array, below: Array | None) -> None:
        """Takes the arrays to fill: pre-activations, and the derivative by the input from that by them."""
        self.z, self.delta, self.below = z, delta, below

    def read(self, x: Array) -> None:
        """Takes the input with its row of ones, (n_in + 1, m) or (R, n_in + 1, m)."""
        self.x, self.x_T = x, x.mT

    def view(self, flat: Array) -> Array:
        """Returns the layer's block of flat parameters (R, P)."""
        start, n_out, n_in = self.where
        return flat[:, start : start + n_out * (n_in + 1)].reshape(len(flat), n_out, n_in + 1)

    def forward(self) -> None:
        """Fills z."""
        np.matmul(self.block, self.x, out=self.z)

    def backward(self) -> None:
        """Fills Wᵀ δ."""
        if self.is_outer:  # multiplying is faster than a matrix product
            np.multiply(self.W_T, self.delta, out=self.below)
        else:
            np.matmul(self.W_T, self.delta, out=self.below)

    def collect(self) -> None:
        """Fills δ [a | 1]ᵀ."""
        np.matmul(self.delta, self.x_T, out=self.gradient)

    def tangent(self, direction: Array, dx: Array | None) -> Array:
        """Returns dW a + db + W da."""
        self.dx = dx
        dz: Array = self.view(direction) @ self.x
        return dz if dx is None else dz + self.W @ dx

    def tangent_backward(
        self, direction: Array, delta: Array, ddelta: Array, changes: Array
    ) -> tuple[Array, Array]:
        """Returns Wᵀ δ and Wᵀ dδ + dWᵀ δ."""
        change, dW = self.view(changes), self.view(direction)[..., :-1]
        change += ddelta @ self.x_T
        if self.dx is not None:
            change[..., :-1] += delta @ self.dx.mT
        return self.W_T @ delta, self.W_T @ ddelta + dW.mT @ delta

    def mean_field(self, signal: Signal) -> Signal:
        """Returns σw² q + σb², of squares and products alike (Poole et al. 2016, eq. 3 and 5)."""
        square, product, _, crowd = signal
        w2, b2 = self.sigma_w2, self.sigma_b2
        return Signal(w2 * square + b2, w2 * product + b2, 0.0, w2 * crowd + b2)

    def mean_field_back(self, square: float) -> float:
        """Returns σw² n_out / n_in times the square."""
        return self.sigma_w2 * self.where[1] / self.where[2] * square


class Elementwise:
    """a = φ(z) of an activation φ."""

    def __init__(self, phi: Activation, z: Array, out: Array, delta: Array, slope: Array) -> None:
        self.phi, self.z, self.out, self.delta, self.slope = phi, z, out, delta, slope
        self._fill, self._fill_slope = phi.value, phi.derivative

    def forward(self) -> None:
        """Fills φ(z)."""
        self._fill(self.z, self.out)

    def backward(self) -> None:
        """Multiplies by φ'(z), in place."""
        self._fill_slope(self.z, self.out, self.slope)
        np.multiply(self.delta, self.slope, out=self.delta)

    def collect(self) -> None:
        """Has nothing to do."""

    def tangent(self, direction: Array, dx: Array | None) -> Array:
        """Returns φ'(z) dz; z must not share its memory with a."""
        assert dx is not None
        self.dz, self.exact_slope = dx, _slope(self.phi, self.z)
        return self.exact_slope * dx

    def tangent_backward(
        self, direction: Array, delta: Array, ddelta: Array, changes: Array
    ) -> tuple[Array, Array]:
        """Returns φ'(z) δ and φ'(z) dδ + φ''(z) dz δ."""
        bend = _bend(self.phi, self.z, self.exact_slope)
        return self.exact_slope * delta, self.exact_slope * ddelta + delta * (bend * self.dz)

    def mean_field(self, signal: Signal) -> Signal:
        """Returns E φ², E φ φ and E φ of Gaussian pre-activations."""
        from initlab.theory.mean_field import covariance, first_moment, second_moment

        self.below = signal
        phi, q = self.phi, signal.square
        crowd = covariance(phi, q, signal.crowd / q if q > 0 else math.nan)
        product = covariance(phi, q, signal.correlation)
        return Signal(second_moment(phi, q), product, first_moment(phi, q), crowd)

    def mean_field_back(self, square: float) -> float:
        """Returns E φ'(z)² times the square (Schoenholz et al. 2017)."""
        from initlab.theory.mean_field import slope

        self.square_back = square * slope(self.phi, self.below.square, 1.0)
        return self.square_back


class Normalization:
    """z = gain · (y − mean) / √(variance + ε) + shift, mean and variance over the examples of a batch (Ioffe
    & Szegedy 2015, arXiv:1502.03167) or over the units of a layer (Ba et al. 2016, arXiv:1607.06450).

    ``statistics`` of a batch are those of the batch itself, and a gradient passes through them (``batch``);
    the same, but held fixed (``held``), as if the function of one input were asked for; or those that were
    kept while training (``kept``), as for a test. What a layer of units does is the same in all three.
    """

    def __init__(
        self,
        kind: str,
        statistics: str,
        parameters: Array,
        gradient: Array,
        where: tuple[int, int, int],
    ) -> None:
        self.axis = -1 if kind == "batch" else -2
        self.is_batch, self.where = kind == "batch", where
        self.through = kind != "batch" or statistics == "batch"
        self.uses_kept = kind == "batch" and statistics == "kept"
        self.gain, self.shift = self.view(parameters)
        self.gain_gradient, self.shift_gradient = self.view(gradient)
        if self.is_batch:
            self.kept_mean, self.kept_variance = _pair(parameters, where[2], where[1])

    def connect(self, y: Array, z: Array, delta: Array, below: Array) -> None:
        """Takes the arrays to read and to fill: y, z, and the derivatives of the cost by z and by y."""
        self.y, self.z, self.delta, self.below = y, z, delta, below
        self.normal = np.empty(y.shape, y.dtype)

    def view(self, flat: Array) -> tuple[Array, Array]:
        """Returns the gains and the shifts, each (R, n, 1), of flat parameters (R, P)."""
        return _pair(flat, self.where[0], self.where[1])

    def forward(self) -> None:
        """Fills z."""
        if self.uses_kept:
            mean, self.variance = self.kept_mean, self.kept_variance
        else:
            mean = self._average(self.y)
        np.subtract(self.y, mean, out=self.normal)
        if not self.uses_kept:
            self.mean, self.variance = mean, self._average(np.square(self.normal))
        self.scale = 1 / np.sqrt(self.variance + self.y.dtype.type(EPSILON))
        np.multiply(self.normal, self.scale, out=self.normal)
        np.multiply(self.gain, self.normal, out=self.z)
        np.add(self.z, self.shift, out=self.z)

    def keep_statistics(self) -> None:
        """Moves the kept mean and variance towards the newest batch's; that of m examples is taken times
        m / (m − 1), as an estimate for all.
        """
        if not self.is_batch:
            return
        m = self.y.shape[-1]
        unbiased = self.variance * (m / max(m - 1, 1))
        for kept, new in ((self.kept_mean, self.mean), (self.kept_variance, unbiased)):
            np.multiply(kept, 1 - MEMORY, out=kept)
            np.add(kept, MEMORY * new, out=kept)

    def backward(self) -> None:
        """Fills the derivative by y."""
        np.multiply(self.gain, self.delta, out=self.below)
        np.copyto(self.below, self._project(self.below))

    def collect(self) -> None:
        """Fills Σ δ (y − mean) / √(variance + ε) and Σ δ."""
        np.add.reduce(self.delta * self.normal, axis=-1, keepdims=True, out=self.gain_gradient)
        np.add.reduce(self.delta, axis=-1, keepdims=True, out=self.shift_gradient)

    def tangent(self, direction: Array, dx: Array | None) -> Array:
        """Returns how z changes."""
        assert dx is not None
        dgain, dshift = self.view(direction)
        self.dnormal = self._project(dx)
        self.dscale = -self.scale * self._average(self.normal * dx) if self.through else 0.0  # d ln scale
        dz: Array = dgain * self.normal + self.gain * self.dnormal + dshift
        return dz

    def tangent_backward(
        self, direction: Array, delta: Array, ddelta: Array, changes: Array
    ) -> tuple[Array, Array]:
        """Returns the derivative by y and its change."""
        dgain, _ = self.view(direction)
        for_gain, for_shift = self.view(changes)
        for_gain += np.add.reduce(ddelta * self.normal + delta * self.dnormal, axis=-1, keepdims=True)
        for_shift += np.add.reduce(ddelta, axis=-1, keepdims=True)
        by_normal, change = self.gain * delta, dgain * delta + self.gain * ddelta
        below = self._project(by_normal)
        moved = self._project(change) + self.dscale * below
        if self.through:
            moved = moved - self.scale * (
                self.dnormal * self._average(self.normal * by_normal)
                + self.normal * self._average(self.dnormal * by_normal)
            )
        return below, moved

    def mean_field(self, signal: Signal) -> Signal:
        """Returns the signal with mean square 1: of units whose mean is 0, or less what a whole batch shares.

        Of a batch that is infinitely large (Yang et al. 2019, 'A mean field theory of batch normalization',
        arXiv:1902.08129), with gain 1 and shift 0.
        """
        shared = signal.crowd if self.is_batch else 0.0
        self.own = signal.square - shared
        if self.own <= 0:
            return Signal(0.0, 0.0)
        return Signal(1.0, (signal.product - shared) / self.own, 0.0, (signal.crowd - shared) / self.own)

    def mean_field_back(self, square: float) -> float:
        """Returns the square over the variance that was divided by."""
        return square / self.own if self.own > 0 else math.nan

    def _average(self, values: Array) -> Array:
        mean: Array = np.add.reduce(values, axis=self.axis, keepdims=True) / values.shape[self.axis]
        return mean

    def _project(self, values: Array) -> Array:
        """Returns how what is normalized changes when y changes by the values; the same rule takes a gradient
        back, because it is symmetric.
        """
        if self.through:
            along = self.normal * self._average(self.normal * values)
            values = values - self._average(values) - along
        projected: Array = self.scale * values
        return projected


class Scalar:
    """One trained number for all units and examples of a layer, as Fixup has them (Zhang, Dauphin & Ma 2019,
    arXiv:1901.09321): a bias before each linear layer and each activation, and in the last layer of each
    residual branch a multiplier.

    As in the authors' code there is none before the first layer, and a multiplier comes before its bias.
    Units keep the biases of their own. ``where`` is the number's place in flat parameters.
    """

    def __init__(self, parameters: Array, gradient: Array, where: int) -> None:
        self.where = where
        self.number, self.gradient = self.view(parameters), self.view(gradient)

    def connect(self, y: Array, z: Array, delta: Array, below: Array) -> None:
        """Takes the arrays to read and to fill: y, z, and the derivatives of the cost by z and by y."""
        self.y, self.z, self.delta, self.below = y, z, delta, below

    def view(self, flat: Array) -> Array:
        """Returns the number (R, 1, 1), of flat parameters (R, P)."""
        return flat[:, self.where : self.where + 1, np.newaxis]

    def by_example(self) -> Array:
        """Returns what each example makes of the derivative by the number, (R, 1, m)."""
        raise NotImplementedError

    def collect(self) -> None:
        """Fills the derivative by the number, a sum over units and examples."""
        np.add.reduce(self.by_example(), axis=-1, keepdims=True, out=self.gradient)

    def mean_field(self, signal: Signal) -> Signal:
        """Returns the signal as it is: biases start at 0 and multipliers at 1."""
        return signal

    def mean_field_back(self, square: float) -> float:
        """Returns the square as it is."""
        return square


class ScalarBias(Scalar):
    """z = y + bias."""

    def forward(self) -> None:
        """Fills z."""
        np.add(self.y, self.number, out=self.z)

    def backward(self) -> None:
        """Fills the derivative by y, which is that by z."""
        np.copyto(self.below, self.delta)

    def by_example(self) -> Array:
        """Returns Σ δ over the units."""
        total: Array = np.add.reduce(self.delta, axis=-2, keepdims=True)
        return total

    def tangent(self, direction: Array, dx: Array | None) -> Array:
        """Returns dy + dbias."""
        assert dx is not None
        dz: Array = dx + self.view(direction)
        return dz

    def tangent_backward(
        self, direction: Array, delta: Array, ddelta: Array, changes: Array
    ) -> tuple[Array, Array]:
        """Returns δ and dδ."""
        change = self.view(changes)
        change += np.add.reduce(ddelta, axis=(-2, -1), keepdims=True)
        return delta, ddelta


class ScalarMultiplier(Scalar):
    """z = multiplier · y."""

    def forward(self) -> None:
        """Fills z."""
        np.multiply(self.y, self.number, out=self.z)

    def backward(self) -> None:
        """Fills multiplier · δ."""
        np.multiply(self.delta, self.number, out=self.below)

    def by_example(self) -> Array:
        """Returns Σ δ y over the units."""
        total: Array = np.add.reduce(self.delta * self.y, axis=-2, keepdims=True)
        return total

    def tangent(self, direction: Array, dx: Array | None) -> Array:
        """Returns multiplier · dy + dmultiplier · y."""
        assert dx is not None
        self.dy = dx
        dz: Array = self.number * dx + self.view(direction) * self.y
        return dz

    def tangent_backward(
        self, direction: Array, delta: Array, ddelta: Array, changes: Array
    ) -> tuple[Array, Array]:
        """Returns multiplier · δ and multiplier · dδ + dmultiplier · δ."""
        change = self.view(changes)
        change += np.add.reduce(ddelta * self.y + delta * self.dy, axis=(-2, -1), keepdims=True)
        return self.number * delta, self.number * ddelta + self.view(direction) * delta


class Fork:
    """Where a residual branch leaves: what is read stays for the ``Join`` at the branch's end, and what comes
    back from there beside the branch is added to what comes back through it.
    """

    beside: tuple[Array, Array]  # a derivative and its change
    square_beside: float

    def __init__(self, x: Array, below: Array) -> None:
        self.x, self.below = x, below
        self.carried = np.empty(x.shape, x.dtype)

    def forward(self) -> None:
        """Has nothing to do."""

    def backward(self) -> None:
        """Adds what has come beside the branch to the derivative by the input."""
        np.add(self.below, self.carried, out=self.below)

    def collect(self) -> None:
        """Has nothing to do."""

    def tangent(self, direction: Array, dx: Array | None) -> Array:
        """Returns da."""
        assert dx is not None
        self.dx = dx
        return dx

    def tangent_backward(
        self, direction: Array, delta: Array, ddelta: Array, changes: Array
    ) -> tuple[Array, Array]:
        """Returns the sums of what comes back through the branch and beside it."""
        beside, change = self.beside
        return delta + beside, ddelta + change

    def mean_field(self, signal: Signal) -> Signal:
        """Returns the signal as it is."""
        self.signal = signal
        return signal

    def mean_field_back(self, square: float) -> float:
        """Returns the sum of the squares that come back through the branch and beside it."""
        return square + self.square_beside


class Join:
    """a + scale · f: the end of a residual branch f, whose input a is added (He et al. 2016,
    arXiv:1512.03385).
    """

    def __init__(self, fork: Fork, scale: float = 1.0) -> None:
        self.fork, self.scale = fork, scale

    def connect(self, y: Array, z: Array, delta: Array, below: Array) -> None:
        """Takes the arrays to read and to fill: f, the sum, and the derivatives of the cost by the sum and by
        f; these two may be one array.
        """
        self.y, self.z, self.delta, self.below = y, z, delta, below

    def forward(self) -> None:
        """Fills a + scale · f."""
        if self.scale == 1:
            np.add(self.y, self.fork.x, out=self.z)
        else:
            np.multiply(self.y, self.scale, out=self.z)
            np.add(self.z, self.fork.x, out=self.z)

    def backward(self) -> None:
        """Fills the derivative by f, and hands the one by the sum to the fork."""
        np.copyto(self.fork.carried, self.delta)
        if self.scale != 1 or self.below is not self.delta:
            np.multiply(self.delta, self.scale, out=self.below)

    def collect(self) -> None:
        """Has nothing to do."""

    def tangent(self, direction: Array, dx: Array | None) -> Array:
        """Returns da + scale · df."""
        assert dx is not None
        change: Array = self.scale * dx + self.fork.dx
        return change

    def tangent_backward(
        self, direction: Array, delta: Array, ddelta: Array, changes: Array
    ) -> tuple[Array, Array]:
        """Returns the derivative by f and its change."""
        self.fork.beside = delta, ddelta
        return self.scale * delta, self.scale * ddelta

    def mean_field(self, signal: Signal) -> Signal:
        """Returns the signal of the sum: f is independent of what it is added to, so that
        E(f + a)² = E f² + 2 E f E a + E a². Nothing that follows from Gaussian pre-activations holds of a sum
        with activations that are none.
        """
        square, product, mean, crowd = signal
        s, below = self.scale, self.fork.signal
        above = Signal(s * s * square, s * s * product, s * mean, s * s * crowd)
        crossed = 2 * above.mean * below.mean
        return Signal(
            above.square + crossed + below.square,
            above.product + crossed + below.product,
            above.mean + below.mean,
            above.crowd + crossed + below.crowd,
        )

    def mean_field_back(self, square: float) -> float:
        """Returns the square that goes through the branch, and hands the fork what goes beside it."""
        self.fork.square_beside = square
        return self.scale**2 * square


def _pair(flat: Array, start: int, n: int) -> tuple[Array, Array]:
    """Returns two neighbouring columns (R, n, 1) of flat numbers."""
    both = flat[:, start : start + 2 * n].reshape(len(flat), 2, n, 1)
    return both[:, 0], both[:, 1]


def _slope(phi: Activation, z: Array) -> Array:
    a, slope = np.empty_like(z), np.empty_like(z)
    phi.value(z, a)
    phi.derivative(z, a, slope)
    return slope


def _bend(phi: Activation, z: Array, slope: Array) -> Array:
    """Returns φ''(z) by a difference to the side that leads away from 0, where kinks are: at a kink slope and
    curvature are those of the left side, and a ReLU has no curvature.
    """
    step = np.where(z > 0, STEP, -STEP)
    near, far = _slope(phi, z + step), _slope(phi, z + 2 * step)
    bend: Array = (4 * near - 3 * slope - far) / (2 * step)
    return bend
