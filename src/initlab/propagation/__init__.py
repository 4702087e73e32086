"""The microscope: what untrained networks do to a signal, layer by layer, beside mean-field theory."""
