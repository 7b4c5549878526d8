"""Variations for training: what masks cover, shifted bins, speeds, ratios; seeds, batches, gradients, libraries."""

import numpy as np
import pytest

import arrayaudio as aa

from .tolerances import assert_same_spectrum, relative_error

N = 2000


def mixture(y, **options):
    noise = np.random.default_rng(3).standard_normal(3 * N).astype(y.dtype) if isinstance(y, np.ndarray) else None
    return aa.mix_at_snr(y, noise, snr=(0, 20), **options)


RANDOM = {
    "spec_augment": (lambda S, seed: aa.spec_augment(S, freq_width=5, time_width=9, seed=seed), (3, 2, 20, 40)),
    "shift_cqt": (lambda S, seed: aa.shift_cqt(S, steps=(-4, 4), seed=seed), (3, 2, 20, 40)),
    "random_stretch": (lambda y, seed: aa.random_stretch(y, seed=seed, n_fft=64), (3, 2, N)),
    "mix_at_snr": (lambda y, seed: mixture(y, seed=seed), (3, 2, N)),
}


@pytest.fixture(params=RANDOM)
def augment(request):
    return RANDOM[request.param][0]


@pytest.fixture
def batch(request, augment, rng):
    shape = next(shape for function, shape in RANDOM.values() if function is augment)
    return rng.standard_normal(shape)


class TestSeeds:
    def test_the_same_seed_gives_the_same_draws_and_another_gives_others(self, augment, batch):
        np.testing.assert_array_equal(augment(batch, 7), augment(batch, 7))
        assert not np.array_equal(augment(batch, 7), augment(batch, 8))
        assert not np.array_equal(augment(batch, None), augment(batch, None))

    def test_the_global_generator_is_left_alone(self, augment, batch):
        np.random.seed(0)
        before = np.random.get_state()[1].copy()
        augment(batch, 1)
        augment(batch, None)
        np.testing.assert_array_equal(np.random.get_state()[1], before)

    def test_items_do_not_depend_on_those_behind_them(self, augment, batch):
        together = augment(batch, 7)
        np.testing.assert_array_equal(augment(batch[:2], 7), together[:2])
        np.testing.assert_array_equal(augment(batch[0, 0], 7), together[0, 0])
        others = batch.copy()
        others[1:] = 0
        np.testing.assert_array_equal(augment(others, 7)[0], together[0])

    def test_items_get_draws_of_their_own(self, augment, batch):
        alike = augment(np.broadcast_to(batch[:1, :1], batch.shape), 7).reshape(6, -1)
        assert len({item.tobytes() for item in alike}) == 6

    @pytest.mark.parametrize("seed", [-1, 1.5, "a", True])
    def test_seeds_are_whole_numbers(self, augment, batch, seed):
        with pytest.raises(aa.ParameterError, match="seed="):
            augment(batch, seed)

    def test_input_stays_as_it_is(self, augment, batch):
        batch.setflags(write=False)
        before = batch.copy()
        augment(batch, 1)
        np.testing.assert_array_equal(batch, before)


def drawn(library, batch, dtype, call):
    """The result of a library and of NumPy."""
    x = batch.astype(dtype)
    return library.to_numpy(call(library.asarray(x))), call(x)


class TestLibraries:
    def test_masks_are_the_same(self, library, dtype, rng):
        S = rng.standard_normal((2, 3, 20, 40))
        for fill in (0.0, -80.0):
            ours, theirs = drawn(library, S, dtype, lambda S, f=fill: aa.spec_augment(S, fill=f, time_width=9, seed=1))
            np.testing.assert_array_equal(ours, theirs)
        assert_same_spectrum(*drawn(library, S, dtype, lambda S: aa.spec_augment(S, fill="mean", seed=1)))

    def test_shifts_are_the_same(self, library, dtype, rng):
        S = rng.standard_normal((2, 3, 20, 40))
        assert_same_spectrum(*drawn(library, S, dtype, lambda S: aa.shift_cqt(S, steps=(-5, 5), fill=-2.0, seed=1)))

    def test_speeds_are_the_same(self, library, rng):
        y = rng.standard_normal((2, 1000))
        assert_same_spectrum(*drawn(library, y, "float64", lambda y: aa.random_stretch(y, seed=1, n_fft=64)))

    def test_mixtures_are_the_same(self, library, dtype, rng):
        y, noise = rng.standard_normal((2, 3, 500)).astype(dtype), rng.standard_normal((3, 900)).astype(dtype)
        ours = aa.mix_at_snr(library.asarray(y), library.asarray(noise), snr=(0, 9), seed=1)
        assert_same_spectrum(library.to_numpy(ours), aa.mix_at_snr(y, noise, snr=(0, 9), seed=1))

    def test_empty_batches(self, library):
        S, y = library.asarray(np.ones((0, 20, 40))), library.asarray(np.ones((0, 500)))
        assert aa.spec_augment(S).shape == aa.shift_cqt(S, steps=1).shape == (0, 20, 40)
        assert aa.random_stretch(y).shape == (0, 500)
        assert aa.mix_at_snr(y, library.asarray(np.ones(900)), snr=3).shape == (0, 500)


def covered(**options):
    """Rows and frames that masks cover, of 4000 items of 30 rows and 50 frames, and that masks are rows and frames."""
    kept = aa.spec_augment(np.ones((4000, 30, 50)), seed=5, **options) == 1
    rows, frames = ~kept.any(axis=2), ~kept.any(axis=1)
    full = ~(rows[:, :, None] | frames[:, None, :])
    np.testing.assert_array_equal(kept | ~full.any(axis=(1, 2), keepdims=True), full | ~full.any((1, 2), keepdims=True))
    return rows, frames


def runs(line):
    """Lengths of the runs of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], line.astype(int), [0]])))
    return (edges[1::2] - edges[::2]).tolist()


class TestSpecAugment:
    def test_one_mask_covers_one_band_of_evenly_drawn_width_and_place(self):
        rows, frames = covered(n_freq_masks=1, freq_width=6, n_time_masks=1, time_width=10)
        for lines, width, n in ((rows, 6, 30), (frames, 10, 50)):
            assert all(len(runs(line)) <= 1 for line in lines)
            widths = lines.sum(axis=1)
            counts = np.bincount(widths, minlength=width + 1)
            assert len(counts) == width + 1
            # Within 5 standard deviations of a fair die.
            expected = len(lines) / (width + 1)
            assert np.all(np.abs(counts - expected) < 5 * np.sqrt(expected))
            places = lines[widths == width].argmax(axis=1)
            assert (places.min(), places.max()) == (0, n - width)
            assert abs(places.mean() - (n - width) / 2) < 5 * (n - width) / np.sqrt(12 * len(places))

    def test_as_many_masks_as_were_asked_for(self):
        rows, frames = covered(n_freq_masks=3, freq_width=4, n_time_masks=0)
        assert not frames.any()
        most = max(len(runs(line)) for line in rows)
        assert most == 3
        assert rows.sum(axis=1).max() <= 12

    def test_a_mask_covers_no_more_than_a_share_of_the_frames(self):
        _, frames = covered(n_freq_masks=0, n_time_masks=1, time_width=40, max_share=0.2)
        assert frames.sum(axis=1).max() == 10

    def test_adaptive_masks_grow_with_the_length(self):
        _, frames = covered(n_freq_masks=0, adaptive=0.06)  # 3 masks of 3 frames at most
        assert max(len(runs(line)) for line in frames) == 3
        assert 7 <= frames.sum(axis=1).max() <= 9
        long = aa.spec_augment(np.ones((50, 1, 3000)), n_freq_masks=0, adaptive=0.04, seed=0) == 0
        counts = [len(runs(item[0])) for item in long]
        assert 10 < max(counts) <= 20  # masks meet, and may be empty
        none = aa.spec_augment(np.ones((5, 1, 10)), n_freq_masks=0, adaptive=0.04, seed=0)
        assert none.min() == 1

    def test_masks_wider_than_the_spectrogram_fit(self):
        S = aa.spec_augment(np.ones((100, 3, 2)), seed=0)
        assert S.shape == (100, 3, 2)
        assert {0, 1} == set(np.unique(S))

    @pytest.mark.parametrize("fill", [0.0, -80.0, "mean"])
    def test_what_stands_under_masks(self, fill, rng):
        S = rng.standard_normal((3, 20, 40))
        masked = aa.spec_augment(S, fill=fill, time_width=9, freq_width=5, seed=2)
        kept = aa.spec_augment(np.ones_like(S), fill=0.0, time_width=9, freq_width=5, seed=2) == 1
        for item in range(3):
            under = sum(S[item].ravel().tolist()) / 800 if fill == "mean" else fill
            for place in np.ndindex(20, 40):
                expected = S[item][place] if kept[item][place] else under
                assert masked[item][place] == pytest.approx(expected, abs=1e-14)

    def test_values_under_masks_may_be_infinite(self):
        assert set(np.unique(aa.spec_augment(np.full((20, 40), -np.inf), seed=0))) == {-np.inf, 0}

    def test_complex_spectra_stay_complex(self, rng):
        X = aa.stft(rng.standard_normal((2, 3000)).astype(np.float32), n_fft=64)
        masked = aa.spec_augment(X, seed=0)
        assert masked.dtype == np.complex64
        kept = masked != 0
        np.testing.assert_array_equal(masked[kept], X[kept])

    @pytest.mark.parametrize("fill", [0.5, "mean"])
    def test_gradients_flow_around_masks(self, fill, rng):
        S = rng.standard_normal((2, 10, 12))
        call = lambda S: aa.spec_augment(S, fill=fill, time_width=4, freq_width=3, seed=2)  # noqa: E731
        aa.check_grads(call, S)
        if fill != "mean":
            kept = call(np.ones_like(S)) == 1
            np.testing.assert_array_equal(aa.grad(lambda S: call(S).sum())(S), kept.astype(float))

    @pytest.mark.parametrize(
        ("S", "options", "message"),
        [
            (np.ones(5), {}, r"shape \(5,\)"),
            (np.ones((5, 5), int), {}, "int64"),
            (np.ones((5, 5)), {"n_freq_masks": -1}, "n_freq_masks=-1: must be at least 0"),
            (np.ones((5, 5)), {"time_width": 2.5}, "time_width=2.5"),
            (np.ones((5, 5)), {"max_share": 1.5}, "max_share=1.5: must be at most 1"),
            (np.ones((5, 5)), {"adaptive": -1}, "adaptive=-1: must be at least 0"),
            (np.ones((5, 5)), {"fill": "median"}, "fill='median': must be a real number"),
        ],
    )
    def test_errors(self, S, options, message):
        with pytest.raises((aa.ParameterError, aa.DTypeError), match=message):
            aa.spec_augment(S, **options)


def shifted(S, places, fill):
    """Rows of a spectrogram at other places, by the value between the two rows there."""
    out = np.empty_like(S)
    for k in range(len(S)):
        source = k - places
        low = int(np.floor(source))
        a, b = (S[j] if 0 <= j < len(S) else np.full(S.shape[1], fill) for j in (low, low + 1))
        out[k] = a + (source - low) * (b - a)
    return out


class TestShift:
    @pytest.mark.parametrize("steps", [0, 1, -1, 0.3, -2.75, 5, 30, -30])
    @pytest.mark.parametrize("bins_per_octave", [12, 24, 36, 7])
    def test_equals_the_oracle(self, steps, bins_per_octave, rng):
        S = rng.standard_normal((2, 20, 6))
        ours = aa.shift_cqt(S, steps=steps, bins_per_octave=bins_per_octave, fill=-3.0)
        for item, result in zip(S, ours, strict=True):
            expected = shifted(item, steps * bins_per_octave / 12, -3.0)
            np.testing.assert_allclose(result, expected, rtol=0, atol=1e-13)

    @pytest.mark.parametrize(("normalization", "louder"), [("convolutional", 1), ("librosa", 2 ** (3 / 24))])
    def test_a_tone_becomes_another(self, normalization, louder):
        t = np.arange(22050) / 22050
        transform = aa.CQT(
            sr=22050, fmin=110.0, n_bins=72, bins_per_octave=24, output="magnitude", normalization=normalization
        )
        low, high = (transform(np.sin(2 * np.pi * hz * t))[:, 15:25] for hz in (440, 440 * 2 ** (3 / 12)))
        assert relative_error(aa.shift_cqt(low, steps=3, bins_per_octave=24), louder * high) < 0.01

    def test_levels_that_are_infinite_move_by_whole_bins(self):
        S = np.full((4, 2), -np.inf)
        np.testing.assert_array_equal(aa.shift_cqt(S, steps=1, fill=0.0), [[0, 0]] + [[-np.inf] * 2] * 3)

    def test_steps_from_a_range_are_evenly_drawn(self):
        S = np.zeros((3000, 41, 1))
        S[:, 20] = 1
        moved = aa.shift_cqt(S, steps=(-3, 6), seed=0)[..., 0] @ np.arange(-20, 21)  # where the one is now
        assert -3 <= moved.min() < -2.95
        assert 5.95 < moved.max() <= 6
        assert abs(moved.mean() - 1.5) < 5 * 9 / np.sqrt(12 * 3000)

    def test_gradients(self, rng):
        aa.check_grads(lambda S: aa.shift_cqt(S, steps=(-3, 3), fill=1.0, seed=0), rng.standard_normal((2, 8, 3)))

    @pytest.mark.parametrize(
        ("C", "options", "message"),
        [
            (np.ones((5, 5), complex), {"steps": 1}, r"complex128: must be real.*griffinlim_cqt"),
            (np.ones(5), {"steps": 1}, r"shape \(5,\)"),
            (np.ones((5, 5)), {"steps": np.nan}, "steps=nan: must be finite"),
            (np.ones((5, 5)), {"steps": (1, 2, 3)}, r"steps=\(1, 2, 3\): must be a number, or a range"),
            (np.ones((5, 5)), {"steps": (2, 1)}, r"steps=\(2, 1\).*low <= high"),
            (np.ones((5, 5)), {"steps": 1, "bins_per_octave": 0}, "bins_per_octave=0"),
        ],
    )
    def test_errors(self, C, options, message):
        with pytest.raises((aa.ParameterError, aa.DTypeError), match=message):
            aa.shift_cqt(C, **options)


class TestStretch:
    @pytest.mark.parametrize("rate", [0.7, 1, 1.6])
    def test_is_time_stretch_at_the_old_length(self, dtype, rate, rng):
        y = rng.standard_normal((2, N)).astype(dtype)
        ours, whole = aa.random_stretch(y, rate=rate, n_fft=128), aa.time_stretch(y, rate=rate, n_fft=128)
        assert (ours.shape, ours.dtype) == (y.shape, y.dtype)
        n = min(N, whole.shape[-1])
        np.testing.assert_array_equal(ours[:, :n], whole[:, :n])
        assert not ours[:, n:].any()

    def test_rates_from_a_range_are_evenly_drawn_on_a_logarithmic_scale(self):
        y = np.random.default_rng(0).standard_normal((300, 1000))
        stretched = aa.random_stretch(y, rate=(1, 4), seed=0, n_fft=64, hop_length=16)
        ends = np.array([np.flatnonzero(item)[-1] + 1 for item in stretched])
        logs = np.log2(1000 / ends)
        assert -0.01 < logs.min() < 0.05
        assert 1.95 < logs.max() < 2.01
        assert abs(logs.mean() - 1) < 5 * 2 / np.sqrt(12 * 300)

    def test_gradients(self, rng):
        aa.check_grads(lambda y: aa.random_stretch(y, seed=0, n_fft=32), rng.standard_normal((2, 200)))

    @pytest.mark.parametrize(
        ("rate", "message"),
        [
            (0, "rate=0: must be at least 0.001"),
            ((-1, 2), "rate=-1: must be at least 0.001"),
            ((2, 1), r"rate=\(2, 1\).*low <= high"),
        ],
    )
    def test_errors(self, rate, message):
        with pytest.raises(aa.ParameterError, match=message):
            aa.random_stretch(np.ones(500), rate=rate)


def power(x):
    return sum(value * value for value in np.asarray(x, np.float64).tolist()) / len(x)


class TestMixture:
    @pytest.mark.parametrize("snr", [-20, 0, 7.5, 40])
    def test_powers_have_the_ratio(self, dtype, snr, rng):
        y, noise = (rng.standard_normal((2, 3, 500)).astype(dtype) * scale for scale in (0.1, 30))
        mixed = aa.mix_at_snr(y, noise, snr=snr)
        assert mixed.dtype == dtype
        for place in np.ndindex(2, 3):
            gain = np.sqrt(power(y[place]) / power(noise[place]) / 10 ** (snr / 10))
            assert_same_spectrum(mixed[place], y[place].astype(np.float64) + gain * noise[place], dtype)

    def test_longer_noise_gives_each_item_a_piece_at_an_evenly_drawn_place(self):
        ramp = np.arange(1.0, 1101.0)
        mixed = aa.mix_at_snr(np.ones((2000, 100)), ramp, snr=0, seed=0)
        added = mixed - 1
        begins = added[:, 0] / (added[:, 1] - added[:, 0]) - 1  # of a ramp, whatever its gain
        np.testing.assert_allclose(begins, np.round(begins), atol=1e-6)
        for first, item in zip(np.round(begins).astype(int), added, strict=True):
            piece = ramp[first : first + 100]
            np.testing.assert_allclose(item, piece / np.sqrt(power(piece)), rtol=1e-9)
        assert (begins.min() < 10) & (begins.max() > 990)
        assert abs(begins.mean() - 500) < 5 * 1000 / np.sqrt(12 * 2000)

    def test_ratios_from_a_range_are_evenly_drawn(self, rng):
        y = rng.standard_normal((1000, 64))
        mixed = aa.mix_at_snr(y, rng.standard_normal((1000, 64)), snr=(0, 20), seed=0)
        snr = 10 * np.log10(np.mean(y**2, axis=-1) / np.mean((mixed - y) ** 2, axis=-1))
        assert 0 <= snr.min() < 0.2
        assert 19.8 < snr.max() <= 20
        assert abs(snr.mean() - 10) < 5 * 20 / np.sqrt(12 * 1000)

    def test_noise_is_broadcast(self, rng):
        y, noise = rng.standard_normal((2, 3, 100)), rng.standard_normal((2, 1, 100))
        mixed = aa.mix_at_snr(y, noise, snr=3)
        for i, j in np.ndindex(2, 3):
            assert_same_spectrum(mixed[i, j], aa.mix_at_snr(y[i, j], noise[i, 0], snr=3))
        longer = aa.mix_at_snr(y, np.tile(noise, 3), snr=3, seed=0)
        for i, j in np.ndindex(2, 3):
            added = longer[i, j] - y[i, j]
            turns = [abs(np.corrcoef(added, np.roll(noise[i, 0], -k))[0, 1]) for k in range(100)]
            assert max(turns) > 1 - 1e-9

    def test_where_one_is_silent_nothing_is_added(self, library, dtype):
        y = np.stack([np.zeros(100), np.ones(100), np.ones(100)]).astype(dtype)
        noise = np.stack([np.ones(100), np.zeros(100), np.ones(100)]).astype(dtype)
        mixed = library.to_numpy(aa.mix_at_snr(library.asarray(y), library.asarray(noise), snr=0))
        np.testing.assert_array_equal(mixed[:2], y[:2])
        np.testing.assert_allclose(mixed[2], 2, rtol=1e-6)

    def test_quiet_signals_are_not_silent(self):
        y = np.full(100, 1e-25, np.float32)
        np.testing.assert_allclose(aa.mix_at_snr(y, np.ones(100, np.float32), snr=0), 2e-25, rtol=1e-6)

    def test_gradients_also_at_silence(self, rng):
        y, noise = rng.standard_normal((2, 50)), rng.standard_normal((2, 80))
        aa.check_grads(lambda y, noise: aa.mix_at_snr(y, noise, snr=5, seed=0), y, noise)
        gradient = aa.grad(lambda y: aa.mix_at_snr(y, noise, snr=5, seed=0).sum())(np.zeros((2, 50)))
        np.testing.assert_array_equal(gradient, 1)

    @pytest.mark.parametrize(
        ("noise", "snr", "message"),
        [
            (np.ones(99), 0, r"noise has 99 samples: must have at least 100.*np\.tile"),
            (np.ones((3, 100)), 0, r"noise has shape \(3, 100\).*must broadcast to \(2,\)"),
            (np.ones((1, 2, 100)), 0, r"noise has shape \(1, 2, 100\)"),
            (np.ones(100), np.inf, "snr=inf: must be finite"),
            (np.ones(0), 0, "0 samples"),
        ],
    )
    def test_errors(self, noise, snr, message):
        with pytest.raises(aa.ParameterError, match=message):
            aa.mix_at_snr(np.ones((2, 100)), noise, snr=snr)
