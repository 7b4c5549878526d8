"""The benchmark over a corpus runs through, and its contenders compute the same."""

import numpy as np
import pytest
import torch

from bench import corpus


@pytest.fixture
def batches(rng):
    return np.split(rng.standard_normal((4, 80_000)).astype(np.float32), 2)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["magnitude STFT", "mel spectrogram", "CQT magnitude"])
def test_contenders_compute_the_same(name, batches):
    places, shapes, spectra = corpus.libraries(on_gpu=False), set(), {}
    for who, (library, make) in corpus.contenders(on_gpu=False)[name].items():
        place = places[library]
        with torch.no_grad():
            spectra[who] = place.back(make()(place.bring(batches[0])))
        shapes.add(spectra[who].shape)
    assert len(shapes) == 1
    if name != "CQT magnitude":  # whose kernels differ in length and height
        for who, S in spectra.items():
            assert np.abs(S - spectra["arrayaudio"]).max() < 1e-4 * S.max(), who


@pytest.mark.slow
def test_times_are_told_apart(batches, monkeypatch):
    monkeypatch.setattr(corpus, "ROUNDS", 1)
    rows = corpus.contenders(on_gpu=False)["magnitude STFT"]
    results = corpus.compared(rows, batches, corpus.libraries(on_gpu=False))
    for row in results.values():
        assert set(row) == {"set_up_s", "to_s", "compute_s", "back_s", "ratio_to_ours"}
        assert row["set_up_s"] > 0
        assert row["compute_s"] > 10 * row["to_s"]
    assert results["arrayaudio"]["ratio_to_ours"] == 1


def test_ours_runs_on_a_gpu(gpu, batches, monkeypatch):
    monkeypatch.setattr(corpus, "ROUNDS", 1)
    rows = corpus.contenders(on_gpu=True)["mel spectrogram"]
    assert rows.keys() == {"arrayaudio", "nnAudio"}
    results = corpus.compared({"arrayaudio": rows["arrayaudio"]}, batches, corpus.libraries(on_gpu=True))
    assert all(value > 0 for value in results["arrayaudio"].values())
