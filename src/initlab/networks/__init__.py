"""Networks as arrays and functions: layers, outputs, passes, and exact products with the Hessian."""

from initlab.networks.network import Network, deep, mlp

__all__ = ["Network", "deep", "mlp"]
