import WaveSurfer from 'wavesurfer.js';
import Timeline from 'wavesurfer.js/dist/plugins/timeline.esm.js';
import { fetchOutline, type Outline } from './outline';
import { Spectrogram, type Speech } from './spectrogram';
import { onSchemeChange, themeColour } from './widget';

/** Where the parts of a recording come from; those that are not given are not shown. */
export interface Sources { audio: string; peaks: string; spectrogram: string | null; segments: string | null }

/**
 * A recording over its waveform, with the spectrogram and the speech found in it below: parts data-wave, data-spectrogram, data-speech, data-head (the moving line), data-clock, data-play, data-skip, data-speed,
 * data-zoom, all but the first may be missing. Everything drawn comes ready from the server; the sound itself is streamed.
 */
export class Player {
  private constructor(readonly wave: WaveSurfer, readonly outline: Outline, readonly speech: readonly Speech[], private readonly picture: Spectrogram | null, private readonly element: HTMLElement) { }

  static async open(element: HTMLElement, sources: Sources, signal: AbortSignal): Promise<Player> {
    const [outline, speech] = await Promise.all([fetchOutline(sources.peaks, signal), fetchSpeech(sources.segments, signal)]);
    return Player.over(element, sources, outline, speech, signal);
  }

  /** The same where what is drawn was fetched before. */
  static over(element: HTMLElement, sources: Sources, outline: Outline, speech: readonly Speech[], signal: AbortSignal): Player {
    const place = part(element, 'wave')!, height = Number(place.dataset.wave) || 160;
    const colours = () => ({ waveColor: themeColour('--mud-palette-text-secondary', place), progressColor: themeColour('--mud-palette-primary', place), cursorColor: themeColour('--mud-palette-primary', place) });
    const wave = WaveSurfer.create({
      container: place, height: outline.apart ? height / 2 : height, url: sources.audio, peaks: outline.peaks, duration: outline.seconds, normalize: true, dragToSeek: true, ...colours(),
      ...(outline.apart ? { splitChannels: [{}, {}] } : {}),
      plugins: [Timeline.create({ secondaryLabelOpacity: 1, style: { color: themeColour('--mud-palette-text-secondary', place), fontSize: '13px' } })],
    });
    const canvas = part<HTMLCanvasElement>(element, 'spectrogram');
    const picture = canvas && outline.spectrogram ? new Spectrogram(canvas, part<HTMLCanvasElement>(element, 'speech'), outline, sources.spectrogram, speech, signal) : null;
    if (picture) element.dataset.drawn = 'true';
    const player = new Player(wave, outline, speech, picture, element);
    player.listen(signal);
    onSchemeChange(() => { wave.setOptions(colours()); picture?.redraw(); }, signal);
    signal.addEventListener('abort', () => wave.destroy());
    return player;
  }

  /** The stretch in sight, seconds. */
  get sight(): [number, number] {
    const total = this.wave.getWrapper().clientWidth || 1, from = this.wave.getScroll() / total;
    return [from * this.outline.seconds, Math.min(1, from + this.wave.getWidth() / total) * this.outline.seconds];
  }

  /** Goes to the next stretch of speech, or the one before. */
  step(by: 1 | -1): void {
    const now = this.wave.getCurrentTime(), starts = this.speech.map(s => s.start);
    const to = by > 0 ? starts.find(s => s > now + 0.05) : starts.findLast(s => s < now - 0.5);
    if (to !== undefined) this.wave.setTime(to);
  }

  private listen(signal: AbortSignal): void {
    const { wave, element } = this;
    const clock = part(element, 'clock'), play = part<HTMLButtonElement>(element, 'play'), head = part(element, 'head');
    const moved = () => {
      if (clock) clock.textContent = `${stamp(wave.getCurrentTime())} / ${stamp(this.outline.seconds)}`;
      if (!head) return;
      const [start, end] = this.sight, at = (wave.getCurrentTime() - start) / (end - start);
      head.hidden = at < 0 || at > 1;
      head.style.left = `${100 * at}%`;
    };
    const look = () => { this.picture?.show(...this.sight); moved(); };
    wave.on('timeupdate', moved);
    wave.on('scroll', look);
    wave.on('zoom', look);
    wave.on('redraw', look);
    const words = play?.querySelector('.name') ?? play?.firstChild;
    wave.on('play', () => { if (words) words.textContent = 'Pause'; });
    wave.on('pause', () => { if (words) words.textContent = 'Play'; });
    play?.addEventListener('click', () => void wave.playPause(), { signal });
    part(element, 'spectrogram')?.addEventListener('click', event => {
      const box = (event.target as HTMLElement).getBoundingClientRect(), [start, end] = this.sight;
      wave.setTime(start + (event.clientX - box.left) / box.width * (end - start));
    }, { signal });
    for (const button of element.querySelectorAll<HTMLButtonElement>('[data-skip]')) button.addEventListener('click', () => wave.skip(Number(button.dataset.skip)), { signal });
    for (const button of element.querySelectorAll<HTMLButtonElement>('[data-step]')) button.addEventListener('click', () => this.step(Number(button.dataset.step) > 0 ? 1 : -1), { signal });
    const speed = element.querySelector<HTMLSelectElement>('[data-speed]');
    speed?.addEventListener('change', () => wave.setPlaybackRate(Number(speed.value), true), { signal });
    const zoom = element.querySelector<HTMLInputElement>('[data-zoom]');
    // From the whole recording to some 200 pixels a second, evenly in ratios.
    zoom?.addEventListener('input', () => {
      const whole = wave.getWidth() / this.outline.seconds;
      wave.zoom(zoom.value === '0' ? 0 : whole * Math.pow(Math.max(1, 200 / whole), Number(zoom.value) / 100));
    }, { signal });
    look();
  }
}

async function fetchSpeech(url: string | null, signal: AbortSignal): Promise<Speech[]> {
  if (!url) return [];
  const response = await fetch(url, { signal });
  return response.ok ? await response.json() as Speech[] : [];
}

function part<T extends HTMLElement = HTMLElement>(element: HTMLElement, name: string): T | null {
  return element.querySelector<T>(`[data-${name}]`);
}

/** 75.3 → 1:15.3, 3675.3 → 1:01:15.3 */
export function stamp(seconds: number): string {
  const tenths = Math.round(seconds * 10), hours = Math.floor(tenths / 36_000), minutes = Math.floor(tenths / 600) % 60, rest = ((tenths % 600) / 10).toFixed(1).padStart(4, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}
