// Where the sound is, and which part of the clip is seen.

const audio = element("audio");

function showPosition() {
  const now = Math.min(audio.currentTime, duration);
  const place = (now - state.from) / (state.to - state.from);
  element("playhead").hidden = place < 0 || place > 1;
  element("playhead").style.left = percent(place);
  element("striphead").style.left = percent(now / duration);
  element("clock").textContent = `${now.toFixed(2)} of ${duration.toFixed(2)} s`;
  if (!audio.paused) return; // nobody wants to be told of each frame
  element("surface").setAttribute("aria-valuenow", now.toFixed(2));
  element("surface").setAttribute("aria-valuetext", `${now.toFixed(2)} seconds`);
}

function follow() {
  if (audio.paused) return;
  // The next part, when the playhead has left this one.
  if (audio.currentTime > state.to || audio.currentTime < state.from) look(audio.currentTime);
  showPosition();
  requestAnimationFrame(follow);
}

function seek(time) {
  audio.currentTime = Math.min(Math.max(time, 0), duration);
  if (audio.currentTime < state.from || audio.currentTime > state.to) look(audio.currentTime - (state.to - state.from) / 2);
  showPosition();
}

function toggle() {
  if (audio.paused) audio.play();
  else audio.pause();
}

function showPlaying() {
  element("play").classList.toggle("playing", !audio.paused);
  element("play").lastElementChild.textContent = audio.paused ? "Play" : "Pause";
}

// Show from a time on, as much as before or so many seconds.
function look(from, seconds = state.to - state.from) {
  const width = Math.min(Math.max(seconds, Math.min(0.02, duration)), duration);
  state.from = Math.min(Math.max(from, 0), duration - width);
  state.to = state.from + width;
  draw();
}

// Show `factor` as many seconds, with one time where it was.
function zoom(factor, around = middle()) {
  look(around - (around - state.from) * factor, (state.to - state.from) * factor);
}

// The playhead, if it is to be seen.
function middle() {
  const now = audio.currentTime;
  return now > state.from && now < state.to ? now : (state.from + state.to) / 2;
}
