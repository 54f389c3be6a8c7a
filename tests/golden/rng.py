"""The counter-based random numbers of app/base/rng.h, bit for bit."""
import numpy as np

U = np.uint64


def mix(z):
    with np.errstate(over="ignore"):
        z = z + U(0x9E3779B97F4A7C15)
        z = (z ^ (z >> U(30))) * U(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> U(27))) * U(0x94D049BB133111EB)
        return z ^ (z >> U(31))


def uniform(seed, stream, counter):
    bits = mix(mix(mix(U(seed)) ^ U(stream)) ^ counter.astype(U))
    return (bits >> U(11)).astype(np.float64) * 2.0 ** -53
