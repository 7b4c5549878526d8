"""Transforms as functions for JAX: their numbers, gradients of finite differences, jit, vmap, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

import arrayaudio as aa
from arrayaudio.ext.jax import differentiable

from .test_torch import DIFFERENTIATED, FRAMES
from .tolerances import assert_same_spectrum, relative_error

pytestmark = pytest.mark.slow

# In steps of 1e-7: in such of 1e-6, differences of logarithms are off by more than the tolerance.
DIFFERENCES = {"order": 1, "modes": ["rev"], "rtol": 1e-6, "atol": 1e-6, "eps": 1e-7}
MEL = aa.MelSpectrogram(sr=8000, n_mels=8, **FRAMES, trainable_mel=True)
STFT = aa.STFT(**FRAMES)


@pytest.fixture
def x64():
    with jax.enable_x64(True):
        yield


@pytest.fixture
def y(rng):
    return rng.standard_normal((3, 300)).astype(np.float32)


def params_of(transform, rng, dtype):
    """Parameters away from what the settings say."""
    return jax.tree.map(lambda p: (p + 0.05 * np.abs(p).max() * rng.random(p.shape)).astype(dtype), transform.params)


@pytest.mark.parametrize("name", DIFFERENTIATED)
def test_numbers_are_those_of_the_transform(name, y):
    transform = DIFFERENTIATED[name]
    function, expected = differentiable(transform), transform(y)
    for S in (function(y), jax.jit(function)(y), jax.jit(function)(y[0])[None]):
        assert isinstance(S, jax.Array)
        assert S.dtype == expected.dtype
        np.testing.assert_array_equal(S, expected[: len(S)])
    if transform.params:
        given = transform.with_params(transform.params)(y)
        np.testing.assert_array_equal(jax.jit(function)(y, transform.params), given)


@pytest.mark.parametrize("name", DIFFERENTIATED)
def test_gradients_are_those_of_finite_differences(name, rng, x64):
    transform = DIFFERENTIATED[name]
    function, y = differentiable(transform), jnp.asarray(rng.standard_normal((2, 300)))
    check_grads(function, (y,), **DIFFERENCES)
    if transform.params:
        params = params_of(transform, rng, np.float64)
        check_grads(function, (y, params), **DIFFERENCES)


def jax_stft(y):
    """By JAX's own functions: frames of 64 samples, 16 apart, of a padded signal."""
    padded = jnp.pad(y, [(0, 0)] * (y.ndim - 1) + [(32, 32)])
    starts = np.arange(1 + y.shape[-1] // 16) * 16
    frames = jnp.stack([padded[..., first : first + 64] for first in starts], axis=-1)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(64) / 64)
    return jnp.fft.rfft(frames * window[:, None], axis=-2)


def test_gradients_of_complex_coefficients_are_those_of_jax(rng, x64):
    y, target = jnp.asarray(rng.standard_normal((2, 2, 300)))
    weights = jnp.asarray(rng.standard_normal(jax_stft(y).shape) + 1j)

    def loss(y, stft):
        X = stft(y)
        return jnp.sum(jnp.abs(X - stft(target)) ** 2) + jnp.imag(jnp.sum(weights * X**2))

    ours, theirs = (jax.grad(loss)(y, stft) for stft in (differentiable(STFT), jax_stft))
    assert relative_error(ours, theirs) < 1e-12


def test_pullbacks_of_complex_cotangents_are_those_of_jax(rng, x64):
    y = jnp.asarray(rng.standard_normal((2, 300)))
    expected, theirs = jax.vjp(jax_stft, y)
    X, ours = jax.vjp(differentiable(STFT), y)
    g = jnp.asarray(rng.standard_normal(X.shape) + 1j * rng.standard_normal(X.shape))
    assert_same_spectrum(X, expected)
    assert relative_error(ours(g)[0], theirs(g)[0]) < 1e-12


def test_the_way_back_has_gradients_too(rng, x64):
    y = jnp.asarray(rng.standard_normal((2, 300)))
    forth, back = differentiable(STFT), differentiable(STFT, inverse=True, length=300)
    X = forth(y) + jnp.asarray(rng.standard_normal((2, 33, 19)))
    assert relative_error(back(forth(y)), y) < 1e-12
    check_grads(back, (X,), **DIFFERENCES)
    # The inverse is linear in the complex coefficients, but for the imaginary parts that it drops.
    g = jax.grad(lambda X: jnp.sum(back(X) ** 2))(X)
    step = 1e-6 * np.exp(1j * rng.random(X.shape))
    change = jnp.sum(back(X + step) ** 2) - jnp.sum(back(X - step) ** 2)
    assert float(change) == pytest.approx(2 * float(jnp.sum(jnp.real(g * step))), rel=1e-6)


def test_vmap_over_signals_is_one_call_on_a_batch(y, monkeypatch):
    shapes = []
    call = type(STFT).__call__
    monkeypatch.setattr(type(STFT), "__call__", lambda self, y: shapes.append(y.shape) or call(self, y))
    function = differentiable(STFT)
    function(y[0])
    shapes.clear()
    np.testing.assert_array_equal(jax.vmap(function)(y), call(STFT, y))
    np.testing.assert_array_equal(jax.jit(jax.vmap(jax.vmap(function)))(y[None]), call(STFT, y)[None])
    assert shapes == [(3, 300), (1, 3, 300)]


def test_vmap_over_any_axis(y):
    ours = jax.vmap(differentiable(STFT), in_axes=1, out_axes=2)(y.T)
    np.testing.assert_array_equal(ours, np.moveaxis(STFT(y), 0, 2))


def test_vmap_of_gradients_gives_those_of_each_item(y):
    mel, params = differentiable(MEL), MEL.params
    loss = lambda params, y: jnp.log(mel(y, params)).sum()  # noqa: E731
    for_each = jax.jit(jax.vmap(jax.grad(loss, argnums=(0, 1)), in_axes=(None, 0)))(params, y)
    for k, item in enumerate(y):
        alone = jax.grad(loss, argnums=(0, 1))(params, item)
        np.testing.assert_array_equal(for_each[0]["bank"][k], alone[0]["bank"])
        np.testing.assert_array_equal(for_each[1][k], alone[1])
    whole = jax.grad(lambda p: jax.vmap(loss, in_axes=(None, 0))(p, y).sum())(params)
    assert_same_spectrum(whole["bank"], jax.grad(loss)(params, y)["bank"], "float32")


def test_vmap_over_parameters(y):
    banks = np.stack([MEL.params["bank"], 2 * MEL.params["bank"]])
    S = jax.vmap(differentiable(MEL), in_axes=(None, {"bank": 0}))(y, {"bank": banks})
    for ours, bank in zip(S, banks, strict=True):
        np.testing.assert_array_equal(ours, MEL.with_params({"bank": bank})(y))


def test_jacobians_are_made_of_pullbacks(rng, x64):
    power = differentiable(aa.STFT(n_fft=16, hop_length=8, output="power"))
    y = jnp.asarray(rng.standard_normal(40))
    jacobian = jax.jacrev(power)(y)
    step = 1e-6 * rng.standard_normal(40)
    change = (power(y + step) - power(y - step)) / 2
    assert relative_error(jacobian @ step, change) < 1e-8


def test_only_what_wants_a_gradient_is_recorded(y, monkeypatch):
    from arrayaudio.ext import jax as bridge

    recorded = []

    def watched(function, *args):
        recorded.append([arg.shape for arg in args])
        return aa.vjp(function, *args)

    monkeypatch.setattr(bridge, "vjp", watched)
    mel = differentiable(MEL)
    jax.grad(lambda p: mel(y, p).sum())(MEL.params)
    jax.grad(lambda y: mel(y, MEL.params).sum())(y)
    jax.grad(lambda y, p: mel(y, p).sum(), argnums=(0, 1))(y, MEL.params)
    assert recorded == [[(8, 33)], [(3, 300)], [(3, 300), (8, 33)]]
    mel(y)
    assert jax.grad(lambda z: z + 0 * jax.lax.stop_gradient(mel(y)).sum())(1.0) == 1
    assert len(recorded) == 3


@pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16])
def test_half_precision_is_computed_in_single(dtype, y):
    half = jnp.asarray(y, dtype)
    power = differentiable(aa.STFT(**FRAMES, output="power"))
    np.testing.assert_array_equal(power(half), power(half.astype(jnp.float32)))
    assert jax.grad(lambda y: power(y).mean())(half).dtype == dtype


def test_large_arrays_get_through(rng):
    """Callbacks that wait for their own arrays would never end."""
    y = rng.standard_normal((4, 2**21)).astype(np.float32)
    power = differentiable(aa.STFT(n_fft=256, hop_length=256, output="power"))
    gradient = jax.jit(jax.grad(lambda y: power(2 * y).mean()))(y)
    assert gradient.shape == y.shape


def test_pcm_has_no_gradient_and_passes():
    samples = (1000 * np.sin(np.arange(300.0))).astype(np.int16)
    mel = differentiable(aa.MelSpectrogram(sr=8000, n_mels=8, **FRAMES, trainable_mel=True, pcm=True))
    gradient = jax.grad(lambda p: mel(samples, p).mean())(MEL.params)
    assert float(jnp.abs(gradient["bank"]).max()) > 0


def test_errors_come_while_jax_traces(y):
    with pytest.raises(aa.ParameterError, match="must be a transform"):
        differentiable(aa.stft)
    with pytest.raises(aa.ParameterError, match=r"device='cpu'.*transform\.to\(None\)"):
        differentiable(STFT.to("cpu"))
    with pytest.raises(aa.ParameterError, match="single number"):
        jax.jit(differentiable(STFT))(1.0)
    with pytest.raises(aa.DTypeError, match="int32"):
        jax.jit(differentiable(STFT))(jnp.ones(300, jnp.int32))
    with pytest.raises(aa.ParameterError, match=r"bank has shape \(2, 2\)"):
        jax.jit(differentiable(MEL))(y, {"bank": jnp.ones((2, 2))})
    with pytest.raises(aa.ParameterError, match="MelSpectrogram has no inverse"):
        differentiable(MEL, inverse=True)(jnp.ones((8, 4)))


def test_errors_of_values_come_from_the_callback(y):
    with pytest.raises(jax.errors.JaxRuntimeError, match="NaN or infinite samples"):
        jax.block_until_ready(differentiable(STFT)(y * np.nan))


def test_programs_for_other_devices_are_refused(y):
    lowered = jax.jit(differentiable(STFT)).trace(y)
    with pytest.raises(NotImplementedError, match="cuda"):
        lowered.lower(lowering_platforms=("cuda",))


def test_second_derivatives_are_refused(y):
    power = differentiable(aa.STFT(**FRAMES, output="power"))
    with pytest.raises(ValueError, match="Pure callbacks do not support"):
        jax.grad(lambda y: jax.grad(lambda y: power(y).sum())(y).sum())(y)
    with pytest.raises(TypeError, match="forward-mode"):
        jax.jvp(power, (y,), (y,))
