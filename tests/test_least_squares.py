"""Conjugate gradients against dense solutions."""

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.least_squares import least_squares, solution

from . import traced
from .tolerances import SPECTRUM, relative_error

ROWS, COLUMNS = 6, 5  # of the coefficients: 30 equations


def problem(rng, n, dtype="float64", *, complex_valued=True, rank=None, condition=3.0):
    """A matrix (30, n) with singular values from 1 down to 1 / condition, and a target that it cannot quite reach."""
    rank = n if rank is None else rank
    shape = (ROWS * COLUMNS, rank)
    left = rng.standard_normal(shape) + (1j * rng.standard_normal(shape) if complex_valued else 0)
    right = np.linalg.qr(rng.standard_normal((n, rank)))[0]
    # Columns of `left` that are orthonormal over the real numbers.
    left = np.linalg.qr(np.concatenate([left.real, left.imag]) if complex_valued else left)[0]
    left = left[: ROWS * COLUMNS] + (1j * left[ROWS * COLUMNS :] if complex_valued else 0)
    matrix = (left * np.geomspace(1, 1 / condition, rank)) @ right.T
    target = rng.standard_normal((ROWS, COLUMNS)) + (1j * rng.standard_normal((ROWS, COLUMNS)) if complex_valued else 0)
    form = np.result_type(dtype, np.complex64) if complex_valued else dtype
    return matrix.astype(form), target.astype(form)


def operators(matrix, library):
    """The matrix as two functions of arrays of a library."""

    def forward(y):
        coefficients = library.to_numpy(y) @ matrix.T
        return library.asarray(coefficients.reshape(*coefficients.shape[:-1], ROWS, COLUMNS))

    def adjoint(S):
        values = library.to_numpy(S)
        return library.asarray((values.reshape(*values.shape[:-2], ROWS * COLUMNS) @ matrix.conj()).real)

    return forward, adjoint


def dense(matrix, target):
    """The shortest least-squares solution in float64, and the relative residual."""
    matrix, target = (np.asarray(a, np.result_type(a, np.float64)) for a in (matrix, target))
    stacked = np.concatenate([matrix.real, matrix.imag]), np.concatenate([target.real.ravel(), target.imag.ravel()])
    y = np.linalg.lstsq(*stacked, rcond=1e-5)[0]
    return y, np.linalg.norm(matrix @ y - target.ravel()) / np.linalg.norm(target)


@pytest.mark.parametrize("complex_valued", [True, False])
@pytest.mark.parametrize(("n", "rank"), [(12, 12), (12, 7), (50, 30), (1, 1)])
def test_finds_the_shortest_solution(library, dtype, complex_valued, n, rank, rng):
    matrix, target = problem(rng, n, dtype, complex_valued=complex_valued, rank=rank)
    expected, distance = dense(matrix, target)
    y, residual = least_squares(*operators(matrix, library), library.asarray(target), 200, 1e-14)
    assert library.to_numpy(y).dtype == aa.to_numpy(residual).dtype == dtype
    # The normal equations multiply rounding errors by the square of the condition, here 9.
    assert relative_error(library.to_numpy(y), expected) < 9 * SPECTRUM[dtype]
    assert abs(float(aa.to_numpy(residual)) - distance) < SPECTRUM[dtype]


def test_reaches_a_target_that_can_be_reached(library, dtype, rng):
    matrix, _ = problem(rng, 12, dtype, condition=30.0)
    wanted = rng.standard_normal(12).astype(dtype)
    target = (matrix @ wanted).reshape(ROWS, COLUMNS)
    y, residual = least_squares(*operators(matrix, library), library.asarray(target), 200, 0.0)
    assert relative_error(library.to_numpy(y), wanted) < 30 * SPECTRUM[dtype]
    assert float(aa.to_numpy(residual)) < SPECTRUM[dtype]


def test_as_many_iterations_as_singular_values_suffice(rng, library):
    matrix, target = problem(rng, 20, rank=4)
    for n_iter, enough in [(3, False), (4, True)]:
        y, _ = least_squares(*operators(matrix, library), library.asarray(target), n_iter, 1e-14)
        assert (relative_error(library.to_numpy(y), dense(matrix, target)[0]) < 1e-12) == enough


def counted(function):
    def call(x):
        call.count += 1
        return function(x)

    call.count = 0
    return call


class TestStops:
    def test_when_the_gradient_is_short(self, library, rng):
        matrix, target = problem(rng, 12, condition=100.0)
        forward, adjoint = operators(matrix, library)
        counts = []
        for tolerance in (1e-1, 1e-3, 1e-12):
            counting = counted(forward)
            y, _ = least_squares(counting, adjoint, library.asarray(target), 100, tolerance)
            gradients = (
                library.to_numpy(adjoint(library.asarray(S))) for S in (target - library.to_numpy(forward(y)), target)
            )
            left, start = map(np.linalg.norm, gradients)
            assert left <= tolerance * start * (1 + 1e-6)
            counts.append(counting.count)
        assert counts[0] < counts[1] < counts[2] < 40

    def test_when_steps_are_rounding_errors(self, library, dtype, rng):
        matrix, target = problem(rng, 12, dtype)
        forward, adjoint = operators(matrix, library)
        counting = counted(forward)
        least_squares(counting, adjoint, library.asarray(target), 1000, 0.0)
        assert counting.count < 100

    def test_after_n_iter(self, library, rng):
        matrix, target = problem(rng, 12)
        forward, adjoint = operators(matrix, library)
        y, residual = least_squares(forward, adjoint, library.asarray(target), 0, 1e-9)
        np.testing.assert_array_equal(library.to_numpy(y), np.zeros(12))
        assert abs(float(aa.to_numpy(residual)) - 1) < 1e-15
        counting = counted(forward)
        least_squares(counting, adjoint, library.asarray(target), 7, None)
        assert counting.count == 7 + 1  # the last one for the residual


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_any_scale_stays_in_range(library, dtype, scale, rng):
    matrix, target = problem(rng, 12, dtype)
    y, residual = least_squares(
        *operators(matrix, library), library.asarray(target * np.dtype(dtype).type(scale)), 99, 0.0
    )
    expected, distance = dense(matrix, target)
    assert relative_error(library.to_numpy(y) / scale, expected) < 9 * SPECTRUM[dtype]
    assert abs(float(aa.to_numpy(residual)) - distance) < SPECTRUM[dtype]


class TestBatches:
    def test_items_are_as_they_would_be_alone(self, library, dtype, rng):
        matrix, first = problem(rng, 12, dtype, condition=50.0)
        easy = (matrix @ np.linalg.svd(matrix)[2][0].real).reshape(ROWS, COLUMNS).astype(first.dtype)
        batch = np.stack([[first, easy], [0 * first, 1e-20 * first[::-1]]])
        forward, adjoint = operators(matrix, library)

        def one_by_one(operator, axes):
            def call(x):
                values = library.to_numpy(x)
                lead = values.shape[: values.ndim - axes]
                each = [library.to_numpy(operator(library.asarray(values[i]))) for i in np.ndindex(lead)]
                return library.asarray(np.stack(each).reshape(*lead, *each[0].shape))

            return call

        separate = one_by_one(forward, 1), one_by_one(adjoint, 2)
        y, residual = map(library.to_numpy, least_squares(*separate, library.asarray(batch), 60, 1e-5))
        assert y.shape == (2, 2, 12)
        assert residual.shape == (2, 2)
        for place in np.ndindex(2, 2):
            alone = least_squares(*separate, library.asarray(batch[place]), 60, 1e-5)
            np.testing.assert_array_equal(y[place], library.to_numpy(alone[0]))
            np.testing.assert_array_equal(residual[place], aa.to_numpy(alone[1]))
        np.testing.assert_array_equal(y[1, 0], np.zeros(12, dtype))
        assert residual[1, 0] == 0

    def test_may_be_empty(self, library, rng):
        matrix, target = problem(rng, 12)
        y, residual = least_squares(*operators(matrix, library), library.asarray(target[None][:0]), 5, 1e-5)
        assert (y.shape, residual.shape) == ((0, 12), (0,))


def test_a_target_that_nothing_reaches_gives_zero(library, dtype, rng):
    matrix, target = problem(rng, 12, dtype)
    y, residual = least_squares(*operators(0 * matrix, library), library.asarray(target), 50, 1e-5)
    np.testing.assert_array_equal(library.to_numpy(y), np.zeros(12, dtype))
    assert float(aa.to_numpy(residual)) == 1


def test_a_preconditioner_saves_iterations(library, rng):
    matrix, target = problem(rng, 12)
    weights = np.geomspace(1, 1e4, 12)
    matrix = matrix * weights
    forward, adjoint = operators(matrix, library)
    expected, _ = dense(matrix, target)
    given = library.asarray(target)
    plain, _ = least_squares(forward, adjoint, given, 15, 1e-14)
    diagonal = library.asarray(weights**-2)
    helped, _ = least_squares(forward, adjoint, given, 15, 1e-14, precondition=lambda s: s * diagonal)
    errors = [relative_error(library.to_numpy(y) * weights, expected * weights) for y in (plain, helped)]
    assert errors[0] > 1e-3
    assert errors[1] < 1e-9


def test_runs_on_a_namespace_that_records(rng):
    matrix, target = problem(rng, 12)
    flat = np.concatenate([matrix.real, matrix.imag])
    xp = traced.namespace

    def forward(y):
        return xp.reshape(xp.matmul(traced.Traced(flat), y), (2 * ROWS, COLUMNS))

    def adjoint(S):
        return xp.matmul(traced.Traced(flat.T), xp.reshape(S, (-1,)))

    stacked = np.concatenate([target.real, target.imag])
    y, residual = least_squares(forward, adjoint, traced.Traced(stacked), 40, None)
    expected, distance = dense(matrix, target)
    assert relative_error(y.value, expected) < 1e-11
    assert abs(residual.value - distance) < 1e-12


@pytest.mark.parametrize("preconditioned", [False, True])
@pytest.mark.parametrize(("n", "rank"), [(12, 12), (12, 7), (50, 30), (1, 1)])
def test_gradients_are_those_of_the_solution(library, preconditioned, n, rank, rng):
    matrix, target = problem(rng, n, rank=rank)
    weights = np.linspace(1, 2, n) if preconditioned else np.ones(n)
    forward, adjoint = operators(matrix, library)
    g = rng.standard_normal(n)

    def solve(target):
        return solution(forward, adjoint, target, 200, 1e-13, lambda y: library.asarray(library.to_numpy(y) * weights))

    _, pullback = aa.vjp(solve, library.asarray(target))
    # In weighted variables, y = sqrt(w) z, the solution is the shortest z.
    stacked = np.concatenate([matrix.real, matrix.imag]) * np.sqrt(weights)
    exact = np.linalg.pinv(stacked, rcond=1e-5).T @ (np.sqrt(weights) * g)
    exact = (exact[: ROWS * COLUMNS] + 1j * exact[ROWS * COLUMNS :]).reshape(ROWS, COLUMNS)
    assert relative_error(library.to_numpy(pullback(library.asarray(g))[0]), exact) < 1e-10
