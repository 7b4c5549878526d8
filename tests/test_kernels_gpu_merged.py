"""The kernels around nested products of matrices: phases from products, and back."""

import numpy as np
import pytest

from arrayaudio.dense import merged, merged_adjoint, turns
from arrayaudio.kernels.gpu import merged as forth
from arrayaudio.kernels.gpu import merged_adjoint as back

from .tolerances import assert_same_spectrum

# Frames, their length and hop: four, two and one phases, with one shift and several, and ends of any kind.
WAYS = [(27, 64, 16), (27, 64, 5), (28, 20, 13), (9, 9, 30), (1, 64, 16), (3, 64, 16), (70, 250, 20), (40, 20, 10)]


@pytest.mark.parametrize("sizes", WAYS)
@pytest.mark.parametrize(("n_items", "n_rows"), [(1, 1), (3, 33)])
class TestBoth:
    def test_merged(self, sizes, n_items, n_rows, dtype, rng, gpu):
        way = turns(*sizes)
        products = rng.standard_normal((way.n_products, 2, n_rows, n_items * way.shifts * way.count)).astype(dtype)
        found = gpu.to_numpy(forth.merged(gpu.asarray(products), way))
        assert found.shape == (n_items, n_rows, way.n_frames)
        assert [program.name for program in gpu.launches] == ["merged"]
        assert_same_spectrum(found, merged.reference(products.astype(float), way), dtype)

    def test_merged_adjoint(self, sizes, n_items, n_rows, dtype, rng, gpu):
        way, X = turns(*sizes), rng.standard_normal((2, n_items, n_rows, sizes[0]))
        X = (X[0] + 1j * X[1]).astype(np.result_type(dtype, np.complex64))
        found = gpu.to_numpy(back.merged_adjoint(gpu.asarray(X), way))
        assert [program.name for program in gpu.launches] == ["merged_adjoint"]
        assert_same_spectrum(found, merged_adjoint.reference(X.astype(complex), way), dtype)


def test_blocks_stride_over_what_a_grid_cannot_hold(rng, gpu, monkeypatch):
    monkeypatch.setattr(forth, "MOST_BLOCKS", 2)
    monkeypatch.setattr(forth, "ENOUGH_BLOCKS", 2)
    way = turns(130, 64, 16)
    products = rng.standard_normal((way.n_products, 2, 20, 2 * way.shifts * way.count))
    found = forth.merged(gpu.asarray(products), way)
    assert_same_spectrum(gpu.to_numpy(found), merged.reference(products, way))
    assert_same_spectrum(
        gpu.to_numpy(back.merged_adjoint(found, way)), merged_adjoint.reference(gpu.to_numpy(found), way)
    )


def test_what_they_do_not_cover_is_declined(rng, gpu):
    way = turns(27, 64, 16)
    products = gpu.asarray(np.ones((way.n_products, 2, 3, way.shifts * way.count), np.int64))
    assert forth.merged(products, way) is NotImplemented
    assert back.merged_adjoint(gpu.asarray(np.ones((1, 3, 27))), way) is NotImplemented
    assert gpu.launches == []
