"""Fourier transforms of few points, written out as lists of operations on real numbers.

A list knows neither loops nor a language: `butterflies.py` prints it for the CPU, in vectors. It is made by the
textbook decompositions, each applied to what the one above it leaves: split radix for powers of two, Good and Thomas's
prime factors for coprime ones, Cooley and Tukey's for others, and sums over pairs x[j] +- x[p - j] for primes.
"""

import functools
import math
from dataclasses import dataclass, field

Complex = tuple[int, int]  # the numbers of the values that are its real and its imaginary part
Operation = tuple[str, int, int, float]


@dataclass
class Codelet:
    """Operations (kind, result, a, b) on numbered values, the first 2n of them the parts of n inputs in turn.

    The kinds are "add" and "sub" of values a and b, "scale" of value a by the number b, and "neg" of value a.
    """

    n: int
    operations: list[Operation] = field(default_factory=list)
    outputs: list[Complex] = field(default_factory=list)

    def emit(self, kind: str, a: int, b: float = 0) -> int:
        """Append an operation and return the number of its result."""
        self.operations.append((kind, 2 * self.n + len(self.operations), a, b))
        return self.operations[-1][1]

    def add(self, x: Complex, y: Complex) -> Complex:
        """Return x + y."""
        return self.emit("add", x[0], y[0]), self.emit("add", x[1], y[1])

    def sub(self, x: Complex, y: Complex) -> Complex:
        """Return x - y."""
        return self.emit("sub", x[0], y[0]), self.emit("sub", x[1], y[1])

    def scale(self, x: Complex, factor: float) -> Complex:
        """Return x times a real number."""
        return self.emit("scale", x[0], factor), self.emit("scale", x[1], factor)

    def crosswise(self, x: Complex, y: Complex) -> tuple[Complex, Complex]:
        """Return x - iy and x + iy."""
        minus = self.emit("add", x[0], y[1]), self.emit("sub", x[1], y[0])
        return minus, (self.emit("sub", x[0], y[1]), self.emit("add", x[1], y[0]))

    def turned(self, x: Complex, k: int, n: int) -> Complex:
        """Return exp(-2 pi i k / n) x."""
        quarters, rest = divmod(4 * (k % n), n)
        if 2 * rest == n:
            r = math.sqrt(0.5)
            x = self.emit("scale", self.emit("add", *x), r), self.emit("scale", self.emit("sub", x[1], x[0]), r)
        elif rest:
            c, s = math.cos(math.pi * rest / (2 * n)), math.sin(math.pi * rest / (2 * n))
            (a, b), (p, q) = self.scale(x, c), self.scale(x, s)
            x = self.emit("add", a, q), self.emit("sub", b, p)
        re, im = x
        if quarters in (1, 2):
            re = self.emit("neg", re)
        if quarters in (2, 3):
            im = self.emit("neg", im)
        return (im, re) if quarters % 2 else (re, im)


@functools.cache
def codelet(n: int) -> Codelet:
    """Return the DFT of n points, X[k] = sum over j of x[j] exp(-2 pi i j k / n)."""
    code = Codelet(n)
    code.outputs = _dft(code, [(2 * j, 2 * j + 1) for j in range(n)])
    return code


def _dft(code: Codelet, x: list[Complex]) -> list[Complex]:
    n = len(x)
    if n == 1:
        return x
    if n == 2:
        return [code.add(*x), code.sub(*x)]
    if n & (n - 1) == 0:
        return _split_radix(code, x)
    prime = next(p for p in range(3, n + 1) if n % p == 0)
    power = math.gcd(n, prime**n)
    if power < n:
        return _prime_factors(code, x, power)
    return _prime(code, x) if prime == n else _common_factor(code, x, prime)


def _split_radix(code: Codelet, x: list[Complex]) -> list[Complex]:
    """Half the size for even inputs, a quarter of it for each kind of odd ones."""
    n = len(x)
    even, first, third = _dft(code, x[::2]), _dft(code, x[1::4]), _dft(code, x[3::4])
    X = [(0, 0)] * n
    for k in range(n // 4):
        a, b = code.turned(first[k], k, n), code.turned(third[k], 3 * k, n)
        total, difference = code.add(a, b), code.sub(a, b)
        X[k], X[k + n // 2] = code.add(even[k], total), code.sub(even[k], total)
        X[k + n // 4], X[k + 3 * n // 4] = code.crosswise(even[k + n // 4], difference)
    return X


def _prime_factors(code: Codelet, x: list[Complex], p: int) -> list[Complex]:
    """For n = pq without a common divisor: a transform of p by q points and no factors between."""
    n, q = len(x), len(x) // p
    rows = [_dft(code, [x[(q * i + p * j) % n] for j in range(q)]) for i in range(p)]
    columns = [_dft(code, [row[k] for row in rows]) for k in range(q)]
    return [columns[k % q][k % p] for k in range(n)]


def _common_factor(code: Codelet, x: list[Complex], p: int) -> list[Complex]:
    """For n = pm: p transforms of every p-th input, turned, then m transforms of p points."""
    n, m = len(x), len(x) // p
    rows = [_dft(code, x[i::p]) for i in range(p)]
    columns = [_dft(code, [code.turned(row[k], i * k, n) for i, row in enumerate(rows)]) for k in range(m)]
    return [columns[k % m][k // m] for k in range(n)]


def _prime(code: Codelet, x: list[Complex]) -> list[Complex]:
    """Real sums: X[k] and X[p - k] differ only in the sign of what x[j] - x[p - j] adds to them."""
    p = len(x)
    half = range(1, (p + 1) // 2)
    sums = {j: code.add(x[j], x[p - j]) for j in half}
    differences = {j: code.sub(x[j], x[p - j]) for j in half}
    X = [functools.reduce(code.add, sums.values(), x[0])] * p
    for k in half:
        even = [code.scale(sums[j], math.cos(2 * math.pi * j * k / p)) for j in half]
        odd = [code.scale(differences[j], math.sin(2 * math.pi * j * k / p)) for j in half]
        X[k], X[p - k] = code.crosswise(functools.reduce(code.add, even, x[0]), functools.reduce(code.add, odd))
    return X
