"""Streams under any order of pushes, saves, returns to what was saved, ends and beginnings."""

import pickle

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import arrayaudio as aa

from .tolerances import assert_near_peak, assert_same_spectrum

SR = 8000
STFT = aa.STFT(n_fft=64, hop_length=20)
WAYS = {
    "STFT": (STFT.stream, STFT, 1),
    "reflected": (aa.STFT(n_fft=64, hop_length=17, pad_mode="reflect").stream, None, 1),
    "mel": (aa.MelSpectrogram(sr=SR, n_fft=64, hop_length=30, n_mels=8, scale="log").stream, None, 1),
    "CQT": (aa.CQT(sr=SR, fmin=1000.0, n_bins=12, hop_length=40).stream, None, 1),
    "resampling": (
        lambda channels: aa.resample_stream(orig_sr=3, target_sr=2, half_width=8, channels=channels),
        lambda y: aa.resample(y, orig_sr=3, target_sr=2, half_width=8),
        1,
    ),
    "gain control": (lambda channels: aa.pcen_stream(sr=SR, channels=channels), lambda S: aa.pcen(S, sr=SR), 4),
    "synthesis": (STFT.inverse_stream, STFT.inverse, 33),
}


class Streams(RuleBasedStateMachine):
    """A stream, what it was given since its beginning, and what it gave, beside states that were saved."""

    name: str

    @initialize(seed=st.integers(0, 2**32 - 1))
    def begin(self, seed):
        self.rng = np.random.default_rng(seed)
        self.make, self.whole, self.n_rows = WAYS[self.name]
        if self.whole is None:
            self.whole = self.make.__self__
        self.stream = self.make(2)
        self.given, self.found, self.saved, self.ended = [], [], [], False

    def block(self, size):
        if self.name == "gain control":
            return self.rng.random((2, self.n_rows, size)).astype(np.float32)
        if self.name == "synthesis":
            return STFT(self.rng.standard_normal((2, 20 * size)).astype(np.float32))[..., :size]
        return self.rng.standard_normal((2, size)).astype(np.float32)

    @precondition(lambda self: not self.ended)
    @rule(size=st.integers(1, 200) | st.integers(1, 3))
    def push(self, size):
        block = self.block(size)
        kept = block.copy()
        self.found.append(self.stream.push(block))
        np.testing.assert_array_equal(block, kept)
        self.given.append(kept)
        block[:] = np.nan  # which the stream must not see

    @precondition(lambda self: not self.ended)
    @rule(bad=st.sampled_from(["shape", "NaN", "dtype", "text"]))
    def push_what_is_refused(self, bad):
        """And go on as if nothing had been."""
        block = self.block(5)
        if bad == "NaN":
            block = block.copy()
            block.real[..., 0] = np.nan
        block = {
            "shape": block[:1],
            "NaN": block,
            "dtype": block.astype("c16" if block.dtype.kind == "c" else "f8"),
        }.get(bad, "abc")
        if bad == "dtype" and not self.given:
            return
        if bad == "NaN" and self.name == "synthesis":  # whose values are not searched
            return
        with pytest.raises(aa.ArrayAudioError):
            self.stream.push(block)

    @precondition(lambda self: not self.ended)
    @rule()
    def save(self):
        self.saved.append((pickle.dumps(self.stream.state), list(self.given), list(self.found)))

    @precondition(lambda self: self.saved)
    @rule(data=st.data())
    def go_back(self, data):
        state, given, found = data.draw(st.sampled_from(self.saved))
        self.stream = self.make(2).restore(pickle.loads(state))
        self.given, self.found, self.ended = list(given), list(found), False

    @precondition(lambda self: self.given and not self.ended)
    @rule()
    def end(self):
        whole = np.concatenate(self.given, axis=-1)
        try:
            expected = self.whole(whole)
        except aa.ParameterError as error:  # too short
            assert "must" in str(error)
            if self.name == "synthesis":  # a frame whose middle is the beginning
                assert self.stream.flush().shape == (2, 0)
            else:
                with pytest.raises(aa.ParameterError, match="must have at least"):
                    self.stream.flush()
            self.stream = self.make(2)
            self.given, self.found = [], []
            return
        rest = self.stream.flush()
        found = np.concatenate(self.found + ([] if rest is None else [rest]), axis=-1)
        assert found.dtype == expected.dtype
        assert found.shape == expected.shape
        (assert_same_spectrum if self.name == "synthesis" else assert_near_peak)(found, expected, "float32")
        self.ended = True

    @precondition(lambda self: self.ended)
    @rule()
    def push_after_the_end(self):
        with pytest.raises(aa.ParameterError, match="the stream has ended: begin a new signal with reset"):
            self.stream.push(self.block(3))
        if self.name != "gain control":  # which has nothing left
            with pytest.raises(aa.ParameterError, match="reset"):
                self.stream.flush()

    @rule()
    def reset(self):
        self.stream.reset()
        self.given, self.found, self.ended = [], [], False

    @invariant()
    def what_came_is_finite(self):
        assert all(np.isfinite(part).all() for part in getattr(self, "found", []))


@pytest.mark.parametrize("name", WAYS)
def test_any_order_of_calls(name):
    machine = type(name, (Streams,), {"name": name})
    machine.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
    machine.TestCase("runTest").runTest()
