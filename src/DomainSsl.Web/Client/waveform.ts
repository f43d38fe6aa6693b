import WaveSurfer from 'wavesurfer.js';
import Timeline from 'wavesurfer.js/dist/plugins/timeline.esm.js';
import { onSchemeChange, themeColour, type Widget } from './widget';

/** Peaks come from the server, so a long recording is drawn without fetching it; the sound itself is streamed. */
interface Options { audio: string; peaks: string }
interface Peaks { seconds: number; max: number[]; min: number[] }

export async function mount(element: HTMLElement, options: Options): Promise<Widget & { toggle(): void; skip(seconds: number): void }> {
  const listeners = new AbortController();
  const peaks = await (await fetch(options.peaks, { signal: listeners.signal })).json() as Peaks;
  const colours = () => ({ waveColor: themeColour('--mud-palette-text-secondary'), progressColor: themeColour('--mud-palette-primary'), cursorColor: themeColour('--mud-palette-primary') });
  const place = element.querySelector<HTMLElement>('[data-wave]')!;
  const clock = element.querySelector<HTMLElement>('[data-clock]')!;
  const play = element.querySelector<HTMLButtonElement>('[data-play]')!;
  const wave = WaveSurfer.create({
    container: place, height: 160, url: options.audio, peaks: [peaks.max, peaks.min], duration: peaks.seconds, normalize: true, dragToSeek: true, ...colours(),
    plugins: [Timeline.create({ style: { color: themeColour('--mud-palette-text-secondary'), fontSize: '13px' } })],
  });
  const show = () => { clock.textContent = `${stamp(wave.getCurrentTime())} / ${stamp(peaks.seconds)}`; };
  wave.on('timeupdate', show);
  wave.on('play', () => { play.textContent = 'Pause'; });
  wave.on('pause', () => { play.textContent = 'Play'; });
  play.addEventListener('click', () => void wave.playPause(), { signal: listeners.signal });
  for (const button of element.querySelectorAll<HTMLButtonElement>('[data-skip]'))
    button.addEventListener('click', () => wave.skip(Number(button.dataset.skip)), { signal: listeners.signal });
  const speed = element.querySelector<HTMLSelectElement>('[data-speed]');
  speed?.addEventListener('change', () => wave.setPlaybackRate(Number(speed.value), true), { signal: listeners.signal });
  onSchemeChange(() => wave.setOptions(colours()), listeners.signal);
  show();
  return {
    update: () => undefined,
    toggle: () => void wave.playPause(),
    skip: seconds => wave.skip(seconds),
    dispose: () => { listeners.abort(); wave.destroy(); },
  };
}

/** 75.3 → 1:15.3 */
export const stamp = (seconds: number): string => `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, '0')}`;
