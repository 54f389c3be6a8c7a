#!/usr/bin/python3
"""Golden numbers of models/fft.c and models/waveform.c by NumPy and SciPy.
Usage: waveform.py > waveform.h"""
import numpy as np
import scipy
from scipy import signal, stats

RATE = 12800.0
BANDS = [(10, 200), (200, 1000), (1000, 3000), (3000, 6400)]
CARRIER = (2000, 5000)
ENVELOPE = [(20, 80), (80, 120), (120, 500)]


def noise(n):
    state, out = 12345, np.empty(n)
    for i in range(n):
        total = 0.0
        for _ in range(4):
            state = (state * 1103515245 + 12345) % 2**31
            total += state / 2**31 - 0.5
        out[i] = total
    return out


def bearing(n):
    """A shaft at 25 Hz, noise, and a knock 97 times a second that rings at 3.2 kHz."""
    t = np.arange(n) / RATE
    since = np.mod(t, 1 / 97)
    knock = np.exp(-since * 900) * np.sin(2 * np.pi * 3200 * since)
    return 1.5 + 0.8 * np.sin(2 * np.pi * 25 * t) + 0.3 * noise(n) + 2.0 * knock


def pow2(n, most):
    p = 1
    while p * 2 <= n and p * 2 <= most:
        p *= 2
    return p


def bands(f, density, limits):
    return [np.sqrt(density[(f >= a) & (f < b)].sum() * (f[1] - f[0])) for a, b in limits]


def welch(x, n):
    return signal.welch(x - x.mean(), RATE, "hann", n, n // 2, detrend=False, scaling="density")


def envelope(x):
    piece = pow2(len(x), 65536)
    starts = [b if b + piece <= len(x) else len(x) - piece for b in range(0, len(x), piece)]
    total = 0
    for b in starts:
        spectrum = np.fft.fft((x - x.mean())[b:b + piece])
        f = np.fft.fftfreq(piece, 1 / RATE)
        spectrum[(f < CARRIER[0]) | (f >= CARRIER[1])] = 0
        real = np.fft.ifft(spectrum).real * 2  # the band-passed signal; hilbert makes it analytic
        f, density = welch(np.abs(signal.hilbert(real)), pow2(piece, 4096))
        total = total + density
    return bands(f, total / len(starts), ENVELOPE)


def row(name, values):
    print(f"static const double {name}[] = {{{', '.join(repr(float(v)) for v in values)}}};")


def main():
    print("/* clang-format off */")
    print(f"/* By tests/golden/waveform.py, NumPy {np.__version__}, SciPy {scipy.__version__}. */")
    for n in (10000, 150000):
        x = bearing(n)
        d = x - x.mean()
        rms = np.sqrt((d ** 2).mean())
        row(f"waveform_size_{n}", [x.mean(), rms, np.abs(d).max(), np.abs(d).max() / rms,
                                   stats.kurtosis(x, fisher=False)])
        f, density = welch(x, pow2(n, 4096))
        row(f"waveform_bands_{n}", bands(f, density, BANDS))
        row(f"waveform_envelope_{n}", envelope(x))
    spectrum = np.fft.fft(noise(16) + 1j * noise(32)[16:])
    row("fft_re_16", spectrum.real)
    row("fft_im_16", spectrum.imag)


main()
