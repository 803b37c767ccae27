"""Random int8 networks over the whole operator list, for comparing implementations with one another.

A network is drawn from a seed. Scales follow the size that values can be expected to have, so that most outputs are
neither constant nor all clamped; a part of them is drawn at the edges on purpose.
"""

from support.random_network.network import KINDS, RandomNetwork, random_inputs

__all__ = ["KINDS", "RandomNetwork", "random_inputs"]
