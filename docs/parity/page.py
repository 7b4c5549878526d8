"""The parity page, from the numbers in docs/parity.json."""

from typing import Any

INTRO = """# Parity

This page is written by `python -m docs.parity` (`make pages`) from [parity.json](parity.json); a test compares them and
measures the rows again. [Presets](presets.md) says what each preset is.

Each row sets a preset, or a transform with the defaults of a library, beside code of others that runs on the same
signal. **Errors** are the largest absolute difference over all values after the logarithm, in its unit; those of
results without a logarithm, marked with *, are parts of the largest value. Signals are white noise and speech of two
seconds, the latter resampled from 16 kHz where a preset wants more. Columns say in which precision they were given to
arrayaudio and, where it takes both, to the other side. No row is above 1e-4 without a reason beside it.

Measured with {versions}.
"""

TABLES = {
    "presets": """## Presets

For VGGish there was no code to run: its row is the published formula, written again in float64 loops. HiFi-GAN's
formula is that of transformers' UnivNet, run with HiFi-GAN's numbers. Of EnCodec's loss, torchaudio is run, and the
padding around it is written by formula. torchaudio is run without its compiled part.
""",
    "defaults": """## Defaults

All settings are those of the library itself, dither excepted. librosa.chroma_stft gets `tuning=0.0`, as nothing is
estimated here.
""",
}
SIGNALS = ("noise, float32", "noise, float64", "speech, float32", "speech, float64")


def number(value: float) -> str:
    """Write an error with one digit."""
    mantissa, _, exponent = f"{value:.0e}".partition("e")
    return f"{mantissa}e{int(exponent)}" if value else "0"


def rendered(data: dict[str, Any]) -> str:
    """The whole page."""
    text = INTRO.format(versions=", ".join(f"{name} {version}" for name, version in data["versions"].items()))
    for table, title in TABLES.items():
        text += f"\n{title}\n| here | outside | {' | '.join(SIGNALS)} | why above 1e-4 |\n" + "|---" * 7 + "|\n"
        for row in data[table]:
            mark = "" if row["unit"] == "level" else "*"
            errors = " | ".join(number(row["errors"][signal]) + mark for signal in SIGNALS)
            text += f"| `{row['name']}` | {row['outside']} | {errors} | {row['reason']} |\n".replace("|  |", "| |")
    return text
