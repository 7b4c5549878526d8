"""Integration of phases: the kernel and the reference agree to the last bit, and follow the loud cells."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from arrayaudio.kernels.cpu.heap_phases import heap_phases as kernel
from arrayaudio.reconstruction.heap_integration import heap_phases


@settings(max_examples=60)
@given(
    batch=st.sampled_from([(), (3,), (2, 2)]),
    shape=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    levels=st.sampled_from([1, 3, 1000]),
    part=st.floats(0, 1),
    causal=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_by_the_kernel_is_that_of_the_reference_to_the_last_bit(batch, shape, levels, part, causal, seed):
    rng = np.random.default_rng(seed)
    S = np.float64(rng.integers(0, levels, (*batch, *shape)))  # with many equals
    wanted = rng.random(S.shape) < part
    in_time, in_frequency = rng.standard_normal((2, *S.shape))
    arguments = S, wanted, in_time, in_frequency, rng.random(shape), causal
    np.testing.assert_array_equal(kernel(*arguments), heap_phases.reference(*arguments))


def test_gives_back_a_plane_from_its_slopes(library):
    t, k = np.meshgrid(np.arange(6), np.arange(5), indexing="ij")
    S = 1.0 + (t == 2) * (k == 3)
    slopes = np.full_like(S, 0.7), np.full_like(S, -0.3)
    given = [library.asarray(x) for x in (S, S > 0, *slopes, 0 * S)]
    found = library.to_numpy(heap_phases(*given, False))
    np.testing.assert_allclose(found, 0.7 * (t - 2) - 0.3 * (k - 3), atol=1e-14)


def test_avoids_the_soft_cells():
    S = np.array([[9.0, 1.0, 2.0], [8.0, 7.0, 6.0]])
    wrong = np.array([[0.0, 100.0, 0.0], [0.0, 0.0, 0.0]])
    found = heap_phases(S, S > 0, 0 * S, wrong, 0 * S, False)
    # The soft cell spoils itself alone: what lies behind it is reached along the loud second frame.
    assert found.tolist() == [[0.0, 50.0, 0.0], [0.0, 0.0, 0.0]]
