"""The page of the experiments: it is that of its data, its words are true of them, and training does train."""

import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

import arrayaudio as aa
from docs.experiments.cases import CASES, DRAWN, EPOCHS, LONGER, RATES, SEEDS
from docs.experiments.page import at_best, best, rendered
from docs.experiments.pictures import change, drawn, matrix, sweep
from docs.experiments.tones import HIGHEST, LOWEST, N_SAMPLES, SR, tones
from docs.experiments.training import trained

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parent.parent / "docs" / "experiments.md"
DATA = json.loads(PAGE.with_suffix(".json").read_text())
ROWS = {row["spectrogram"]: row for row in DATA["experiments"]}
SMALL = {"learning_rate": 1e-3, "epochs": 4, "n_train": 256}
cases = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def test_the_page_is_that_of_its_data():
    assert PAGE.read_text() == rendered(DATA)


def test_the_data_are_those_of_the_settings():
    assert (DATA["seeds"], DATA["epochs"], DATA["longer"]) == (list(SEEDS), EPOCHS, LONGER)
    assert DATA["drawn"] == str(DRAWN)
    assert DRAWN in RATES
    assert len(SEEDS) >= 3
    assert [(row["spectrogram"], row["picture"], row["learned"]) for row in ROWS.values()] == [c[:3] for c in CASES]
    for row in ROWS.values():
        assert list(row["rates"]) == [str(rate) for rate in RATES]
        for arms in row["rates"].values():
            errors = [arms[arm]["errors"] for arm in ("fixed", "trainable")]
            assert np.shape(errors) == (2, len(SEEDS))
            assert np.isfinite(errors).all()


@cases
def test_pictures_exist_and_are_on_the_page(case):
    assert f"(pictures/{case.picture})" in PAGE.read_text()
    picture = imread(PAGE.parent / "pictures" / case.picture)
    assert min(picture.shape[:2]) > 500
    assert picture.std() > 0.1


def test_tones_have_the_frequencies_that_are_asked_for():
    known = tones(3, 20)
    assert known.y.shape == (20, N_SAMPLES)
    assert known.y.dtype == known.place.dtype == np.float32
    peaks = np.abs(np.fft.rfft(known.y * np.hanning(N_SAMPLES), 16 * N_SAMPLES)).argmax(axis=1) * SR / N_SAMPLES / 16
    np.testing.assert_allclose(peaks, LOWEST + (HIGHEST - LOWEST) * known.place, atol=2)
    assert not np.array_equal(tones(4, 20).place, known.place)


@cases
def test_training_reduces_the_error_and_moves_what_is_learned_alone(case):
    for learn in (False, True):
        run = trained(case.transform, seed=0, learn=learn, **SMALL)
        assert np.mean(run.losses[-4:]) < run.losses[0] / 3
        assert 0 < run.error < run.losses[0]
        assert (change(case, run.transform) > 0) is learn
        assert (run.transform == case.transform) is not learn


def test_runs_are_repeated_by_their_seed_and_both_begin_alike():
    runs = [trained(CASES[0].transform, seed=1, learn=learn, **SMALL) for learn in (True, True, False)]
    assert runs[0].losses == runs[1].losses
    assert runs[0].error == runs[1].error
    np.testing.assert_allclose(runs[0].losses[0], runs[2].losses[0], rtol=1e-5)
    assert runs[0].losses[1:] != runs[2].losses[1:]


@cases
def test_a_picture_shows_before_and_after(case):
    params = case.transform.params[case.learned]
    doubled = [2 * group for group in params] if isinstance(params, list) else 2 * params
    learned = case.transform.with_params({case.learned: doubled})
    np.testing.assert_allclose(change(case, learned), 1)
    figure = drawn(case, learned)
    before, after = (figure.axes[k].collections[0].get_array() for k in (0, 1))
    np.testing.assert_allclose(after, 2 * before)
    before, after = (figure.axes[k].collections[0].get_array() for k in (2, 3))
    assert before.shape == case.transform(sweep()).shape
    np.testing.assert_allclose(after.max() - before.max(), 20 * np.log10(2), atol=1e-4)
    assert after.max() == 0


def test_rows_of_kernels_are_centred():
    kernels = matrix(aa.CQT(sr=SR, n_bins=49, fmin=LOWEST, trainable=True).params["kernels"])
    assert kernels.shape[0] == 98
    peaks = np.abs(kernels[::2]).argmax(axis=1)
    assert np.abs(peaks - kernels.shape[1] // 2).max() <= 1


def test_what_the_page_says_is_so():
    stft, mel, cqt = (ROWS[case.name] for case in CASES)
    slow, fast = str(min(RATES)), str(max(RATES))
    arms = mel["rates"][slow]  # "gains the most", "torn apart"
    assert np.mean(arms["fixed"]["errors"]) > 100 * np.mean(arms["trainable"]["errors"])
    assert np.mean(mel["rates"][fast]["trainable"]["errors"]) > 0.95 / 12
    for row in (stft, mel):  # "each at its best", "from every seed"
        for longer in (False, True):
            assert np.less(*reversed(at_best(row, longer=longer))).all()
    assert np.mean(at_best(stft, longer=True)[1]) == min(
        np.mean(errors) for row in ROWS.values() for longer in (False, True) for errors in at_best(row, longer=longer)
    )
    ratios = [np.divide(*at_best(cqt, longer=longer)) for longer in (False, True)]  # "no better, and worse"
    assert np.mean(ratios[0]) < 1.05
    assert max(ratios[1]) < 1
    learned = cqt["longer"]["trainable"]  # "by heart"
    assert min(learned["errors"]) > 10 * max(learned["last"])


def test_long_training_is_at_the_rate_that_learned_best():
    for row in ROWS.values():
        assert row["change"] > 0
        for arm in ("fixed", "trainable"):
            rates = row["rates"]
            assert all(sum(rates[best(row, arm)][arm]["last"]) <= sum(arms[arm]["last"]) for arms in rates.values())
            assert sum(row["longer"][arm]["last"]) < sum(rates[best(row, arm)][arm]["last"])
