"""The words of the page of the evidence, around its numbers."""

INTRO = """# Evidence: nnAudio's figures, drawn again

nnAudio was published with figures (Cheuk, Anderson, Agres and Herremans, "nnAudio: an on-the-fly GPU audio to
spectrogram conversion toolbox using 1D convolutional neural networks", IEEE Access 8, 2020): spectrograms beside
librosa's, times, bases before and after training, and several forms of the constant-Q transform. Here they are drawn
again with arrayaudio, each with its errors, and with an exact result that says which of two that differ is nearer.
`python -m docs.evidence` (`make pages`) measures and draws all, and writes [evidence.json](evidence.json) and this
page from it; a test compares them, measures a part again, and holds what is said here.

**Signals**, three seconds at 22 050 Hz, float32: a linear sweep from 20 to 11 000 Hz; a logarithmic sweep from 32.7
to 11 000 Hz; an impulse; a chromatic scale of 25 notes from C4, each of four partials; and `piano.flac` of [these
recordings](audio/README.md). **Exact values** are computed in float64 by code that shares nothing with arrayaudio:
NumPy's FFT of windowed frames, triangles from the formula, and sums over constant-Q kernels from the definition.
**Errors** are of magnitudes: the norm of the difference divided by that of the second of both (relative L2), and,
after a comma, the largest difference divided by the largest value.

Measured with {versions}.

"""

BESIDE = """## 1. Beside librosa

An STFT with frames of 2048 and hops of 512, 128 mel bands of its magnitudes, and a CQT of 84 bins from C1 with hops
of 512, by `aa.STFT`, `aa.MelSpectrogram`, `aa.CQT` and librosa, with librosa's defaults.

{table}
**STFT and mel spectrogram equal librosa's** to {framed} of the largest value, which is the rounding of float32.
librosa takes the FFT in float64 and is the nearer one in {nearer} of {of} rows: at most {theirs} from exact values in
relative L2, ours {ours}. In the pictures 0 dB is librosa's loudest value of each signal. The differences have colours
of their own, from -180 to -120 dB; float32 ends at -144 dB.

![STFT of five signals by arrayaudio and by librosa, and their difference](pictures/evidence_stft.png)

![Mel spectrograms of five signals by arrayaudio and by librosa, and their difference](pictures/evidence_mel.png)

**The CQT does not equal librosa's.** They are {notes_least} to {notes_most} apart in relative L2, and up to
{notes_peak} of the largest value. Ours is within {notes_ours} of the exact sums, so the difference is librosa's. It
is in the third column, and is hardly seen in the first two; the fourth has the same colours and shows rounding alone.

![CQT of five signals by arrayaudio and by librosa, and differences](pictures/evidence_cqt.png)

Exact sums are inner products of the signal with `librosa.filters.wavelet` at the full rate; the kernels used here
equal librosa's to {wavelets}. `librosa.cqt` differs from its own definition for these reasons, which are taken away
one after the other. The numbers are relative L2 distances of the coefficients, phases included.

{causes}
- **Edges**: it halves the rate first and pads then, so that what a filter smears beyond the ends is cut off.
- **Sparsity**: of each kernel's spectrum it drops the smallest values, which make up 1 % of the sum.
- **Kernels** are most of it, at least {least}. They are made anew for each octave at a lower rate, with a whole
  number of samples of that rate, which changes lengths by up to {rounding} and middles by up to half a sample; and
  they run backwards, as spectra are multiplied without a conjugate. Sums at the full rate over kernels of that very
  shape are within {rest} of librosa.

"""

LIBROSA_STEPS = {
    "as it is": "librosa to exact",
    "in silence": "with silence around the signal",
    "all of its kernels": "and `sparsity=0`",
    "to its own kernels": "and to sums over its own kernels",
}

SPEED = """## 2. Speed

nnAudio's workload: {clips} clips of {samples} samples at {sr} Hz, here white noise instead of the piano recordings of
MAPS, in batches of {batch}, with all results kept. Set-up is what it takes until a new transform has done its first
batch, kernels and compilation included, but not imports. `python -m bench.corpus` measures it, and `--gpu` adds
transfers; the [benchmarks](benchmarks.md) have smaller workloads, more contenders, and the method.

"""

BASES = """## 3. Bases before and after training

A linear layer reads the frequency of a pure tone from a spectrogram, whose array is learned too: the Fourier basis,
the mel bank or the constant-Q kernels. [Three experiments](experiments.md) says how, for all rates and for longer
training. Here are the runs of its pictures: {epochs} epochs at a rate of {rate}. Errors are squared, of the place
between 0 and 1, times 1e-6, on tones that were not learned from: the mean of three seeds, the least and the greatest.
How far an array moved is relative to its norm, for seed {seed}.

{table}
The arrays are in `docs/evidence/learned.json`, of kernels those that are drawn; `python -m docs.evidence.learned`
trains again. [Images of all rows](experiments.md#before-and-after) are on the page of the experiments.

Six rows of the Fourier basis. The change is less than the width of the line, so that it is drawn once more in orange,
ten times as large. It is not smooth: nothing in the loss asks it to be.

![Six rows of a Fourier basis before and after training](pictures/evidence_basis.png)

Six of 32 mel bands. Most triangles can still be seen, on a new ground that weighs low against high frequencies.

![Six bands of a mel bank before and after training](pictures/evidence_bank.png)

Six of 49 constant-Q kernels. They keep their tone and their envelope, and get a rough surface, also in the margins of
their matrix, which were zero.

![Six constant-Q kernels before and after training](pictures/evidence_kernels.png)

"""

LEARNED_STFT = """## 4. The STFT before and after training

The same STFT of 64 points hears 49 pure tones, a semitone apart, and speech, which it was not trained on. The change
is relative to the magnitudes before; medians are over all values, in dB below the loudest before.

{table}
For pure tones, half of all values were below {before} dB, and half are below {after} dB after training: the dark
surroundings of a tone hold what was learned. Speech was not as dark, and its median moves by {speech} dB.

![STFT of pure tones and of speech before and after training](pictures/evidence_learned_stft.png)

"""

NNAUDIO_STEPS = {
    "as it is": "nnAudio's CQT2010v2 to exact",
    "in silence": "with silence around the signal",
    "to its own kernels": "and to sums over its own kernels",
}

FORMS = """## 5. Forms of the constant-Q transform

nnAudio has four: by spectra (1992), by frames in time (1992v2), and by halving the rate octave by octave with kernels
as in either (2010, 2010v2). arrayaudio has the same as `method` of `aa.CQT` with librosa's definition, and as classes
in `arrayaudio.compat.nnaudio` with nnAudio's, whose kernels are 3 % shorter; so there are two tables, each with its
own exact sums. 84 bins, hops of 512, zeros around the signal. All get and return float32. The tables have relative L2
errors of magnitudes; the largest difference over all signals as a part of the largest value; and the largest relative
L2 error with phases.

**librosa's definition**

{librosa_table}
![Exact CQT of five signals, and the errors of four forms and of librosa](pictures/evidence_forms.png)

**nnAudio's definition**

{nnaudio_table}
![Exact CQT of five signals, and the errors of nnAudio's forms and of one of arrayaudio](pictures/evidence_nnaudio.png)

In the pictures 0 dB is the loudest exact value of each signal, and all differences have the same colours.

- Ours that halve nothing are within {exact} of the exact sums, nnAudio's 1992v2 within {frames}. Its 1992 is
  {spectra} away: of the spectrum of each kernel it keeps the positive half.
- Ours that halve the rate are within {ours}. librosa is up to {librosa} away, nnAudio's 2010 and 2010v2 up to
  {nnaudio}.
- With phases nnAudio's are further away, as each halving delays the signal by half a sample.
- nnAudio's 2010 returns conjugates; they are taken back here before phases are compared.

### What halving the rate does

Errors in each octave, named by its lowest note, for the logarithmic sweep. librosa and nnAudio halve the rate six
times for the lowest octave and not at all for the highest; ours halves it as often as each kernel allows.

{octaves}
![Errors of forms in each octave, and what is heard of a sweep above all bins](pictures/evidence_octaves.png)

**It is the kernels, not aliasing.** nnAudio, too, makes them with a whole number of samples of the lower rate, which
changes lengths by up to {rounding}. Its coefficients, phases included, beside sums at the full rate over kernels of
these lengths, which are late by half a sample for each halving:

{causes}
What is left, at most {rest}, has the size of its filter's ripple, which is {ripple} each time for the bins that
follow. Ours does not make kernels anew: it takes every second, fourth, eighth sample of the exact ones
([how](constant_q.md#five-forms)).

**Aliasing.** The right half of the picture shows what each octave hears of a sweep from 5 to 10.8 kHz, above all
bins; 0 dB is a tone of the same amplitude in its bin. Kernels leak, so exact sums hear it too. What comes on top of
what its own kernels leak, in dB, with ours by `"2010v2"`, librosa with `sparsity=0`, and nnAudio's CQT2010v2:

{folded}
Where the rate is halved, ours adds at most {folded_arrayaudio} dB, librosa {folded_librosa} dB and nnAudio
{folded_nnAudio} dB, as much as its filter lets through of what folds onto its bins, {through} dB: these are the thin
mirrored lines in its picture of the sweeps. In the picture ours and librosa hear less than exact sums in some
octaves, as their filters remove what kernels would leak; and librosa hears more in C6 and less in C7 for the parts of
its kernels that it drops: with `sparsity=0` it is like exact sums there.

**Early downsampling.** If all bins are low, the rate can be divided before all else. 24 bins from C1, the logarithmic
sweep; loudness is the norm of the coefficients divided by the exact one:

{early}
nnAudio divides the rate by {factor}, and its two forms do not account for it: one is {loud} times as loud as it
should be, the other {quiet} times, the root of {factor} and its inverse. With `earlydownsample=False` both are right.
Ours halves where that changes nothing, and the option has no effect.
"""
