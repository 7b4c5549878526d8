"""The adjoint of padding: <pad y, z> = <y, unpad z>."""

import numpy as np
import pytest

import arrayaudio as aa
from arrayaudio.frames import INDEX_MODES, VALUE_MODES
from arrayaudio.unpadding import unpad

from . import naive, traced

EPS = {"float32": 1e-6, "float64": 1e-14}


@pytest.mark.parametrize("mode", INDEX_MODES)
@pytest.mark.parametrize("n_samples", [1, 3, 7, 40])
@pytest.mark.parametrize("padding", [0, 1, 5, 16])
def test_is_the_adjoint_of_padding(library, dtype, mode, n_samples, padding, rng):
    if mode == "reflect" and n_samples <= padding:
        n_samples += padding  # shorter ones cannot be reflected
    y = rng.standard_normal(n_samples)
    z = rng.standard_normal((2, 3, n_samples + 2 * padding)).astype(dtype)
    result = library.to_numpy(unpad(library.asarray(z), padding, mode))
    assert result.dtype == dtype
    assert result.shape == (2, 3, n_samples)
    expected = np.float64(z) @ naive.pad(y, padding, padding, mode)
    size = np.abs(z).sum(axis=-1) * np.abs(y).max()
    assert (np.abs(result.astype(np.float64) @ y - expected) <= EPS[dtype] * size).all()


@pytest.mark.parametrize("mode", VALUE_MODES)
def test_of_computed_values_is_refused(mode):
    with pytest.raises(aa.ParameterError, match=f"pad_mode='{mode}': has no adjoint here.*use one of constant, edge"):
        unpad(np.ones(20), 4, mode)


def test_runs_on_a_namespace_that_records(rng):
    z = rng.standard_normal(30)
    np.testing.assert_array_equal(unpad(traced.Traced(z), 6, "reflect").value, unpad(z, 6, "reflect"))
