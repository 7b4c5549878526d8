"""The model, a spectrogram and one linear layer, and how it is trained, with the spectrogram's arrays or without."""

from typing import Any, NamedTuple

import numpy as np

import arrayaudio as aa
from docs.experiments.tones import N_SAMPLES, tones

N_TRAIN, N_TEST, BATCH = 1600, 1000, 64


class Trained(NamedTuple):
    """What training left: the transform, the squared error on tones it has not seen, and on those of each step."""

    transform: Any
    error: float
    losses: list[float]

    @property
    def last(self) -> float:
        """The mean error of the last steps, by which rates can be chosen without a look at the unseen tones."""
        return float(np.mean(self.losses[-25:]))


class Model:
    """place = sigmoid(weights . S / scale + bias), S being the whole spectrogram of a tone."""

    def __init__(self, transform: Any, y: np.ndarray) -> None:
        self.transform = transform
        self.scale = np.sqrt(np.mean(transform(y) ** 2))  # so that one learning rate suits all transforms

    def start(self, seed: int, learn: bool) -> dict[str, Any]:
        """Return what is to be learned: the linear layer, drawn at random, and the transform's arrays if `learn`."""
        n_features = self.transform(np.zeros(N_SAMPLES, np.float32)).size
        weights = np.random.default_rng(seed).uniform(-1, 1, n_features) / np.sqrt(n_features)
        linear = {"weights": weights.astype(np.float32), "bias": np.zeros(1, np.float32)}
        return linear | ({"arrays": self.transform.params} if learn else {})

    def spectrograms(self, params: dict[str, Any], y: np.ndarray) -> Any:
        """Return spectrograms as rows of numbers, by the arrays as far as they have been learned."""
        transform = self.transform.with_params(params["arrays"]) if "arrays" in params else self.transform
        return (transform(y) / self.scale).reshape(len(y), -1)

    def loss(self, params: dict[str, Any], rows: Any, place: np.ndarray) -> Any:
        """Return the mean squared error of the places that are read from spectrograms."""
        logit = rows @ params["weights"] + params["bias"]
        found = 0.5 + 0.5 * np.tanh(logit / 2)  # the sigmoid, which no logit overflows
        return np.mean((found - place) ** 2)


def trained(
    transform: Any, seed: int, *, learn: bool, learning_rate: float, epochs: int, n_train: int = N_TRAIN
) -> Trained:
    """Train by Adam. Tones, first weights and the order of batches depend on the seed alone."""
    known, unseen = tones(2 * seed, n_train), tones(2 * seed + 1, N_TEST)
    model = Model(transform, known.y)
    params = model.start(seed, learn)
    # Spectrograms that stay the same are computed once.
    rows = known.y if learn else model.spectrograms(params, known.y)

    def loss(params: dict[str, Any], rows: np.ndarray, place: np.ndarray) -> Any:
        return model.loss(params, model.spectrograms(params, rows) if learn else rows, place)

    step = aa.value_and_grad(loss)
    state, losses, order = aa.optim.Adam().init(params), [], np.random.default_rng(seed)
    batches = np.concatenate([order.permutation(n_train).reshape(-1, BATCH) for _ in range(epochs)])
    for k, batch in enumerate(batches):
        value, gradients = step(params, rows[batch], known.place[batch])
        adam = aa.optim.Adam(learning_rate * (1 - k / len(batches)))
        params, state = adam.update(gradients, state, params)
        losses.append(float(value))
    error = float(model.loss(params, model.spectrograms(params, unseen.y), unseen.place))
    return Trained(transform.with_params(params.get("arrays", {})), error, losses)
