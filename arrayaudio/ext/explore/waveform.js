// The whole clip as a curve, from the samples that are played.

function samplesOf(audio) {
  const header = 44;
  const bytes = bytesOf(audio.src.slice(audio.src.indexOf(",") + 1));
  return new Int16Array(bytes.buffer, header);
}

// Columns from the lowest to the highest sample, as high as the loudest.
function drawWaveform(canvas, samples) {
  if (!fit(canvas)) return;
  const { width, height } = canvas;
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, width, height);
  context.fillStyle = getComputedStyle(canvas).getPropertyValue("--wave");
  const loudest = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 1);
  for (let x = 0; x < width; x++) {
    const first = Math.floor((x * samples.length) / width);
    const part = samples.subarray(first, Math.max(first + 1, Math.floor(((x + 1) * samples.length) / width)));
    const low = part.reduce((least, sample) => Math.min(least, sample), 0);
    const high = part.reduce((most, sample) => Math.max(most, sample), 0);
    const scale = (0.46 * height) / loudest;
    context.fillRect(x, height / 2 - high * scale, 1, Math.max((high - low) * scale, devicePixelRatio));
  }
}
