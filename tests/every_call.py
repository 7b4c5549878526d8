"""Every public function of arrays by what it takes, for tests of what must hold for the whole library."""

from .test_any_array import CALLS, SIGNAL

# Public functions, and further ways in, that take a waveform first.
OF_SIGNALS = {
    name: call for name, (call, make) in CALLS.items() if make is SIGNAL and name not in ("asarray", "to_numpy")
}
# Those that take numbers one by one, or anything.
SCALES = ("hz_to", "mel_to_hz", "midi_to", "octs_to", "erb_to", "bark_to", "frames_to", "samples_to", "time_to")
CONVERSIONS = {name for name in CALLS if name.startswith(SCALES)} | {"asarray", "to_numpy", "pcm_to_float"}
CONVERSIONS |= {"amplitude_to_db", "power_to_db", "db_to_amplitude", "db_to_power"}
