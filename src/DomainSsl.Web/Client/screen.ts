import { Ahead } from './ahead';
import { fetchOutline, type Outline } from './outline';
import { loadPicture, Stage, type Picture } from './picture';
import { Player, type Sources } from './player';

/** What a room is about. */
export type Kind = 'image' | 'sound';

/** What a room shows its cases on; the one place where images and sounds differ. */
export interface Screen {
  /** Gets a case ready before it is needed, so that showing it waits for nothing; what is ready is kept a while. */
  fetch(item: number): Promise<unknown>;
  /** Shows what was fetched, or nothing. A sound is played as it comes. */
  show(fetched: unknown, title: string): void;
  dispose(): void;
}

/** The screen of a room (its parts data-part="stage" and what that holds). `drawn` is called whenever something new is drawn. */
export function screenOf(kind: Kind, room: HTMLElement, drawn: () => void, signal: AbortSignal): Screen {
  return kind === 'sound' ? new SoundScreen(room, drawn, signal) : new ImageScreen(room, drawn, signal);
}

/** An image as large as the window allows; data-view buttons change brightness, contrast and size. */
class ImageScreen implements Screen {
  private readonly stage: Stage;
  private readonly pictures = new Ahead(item => loadPicture(`/api/items/${item}/pixels`));

  constructor(room: HTMLElement, drawn: () => void, signal: AbortSignal) {
    this.stage = new Stage(stageOf(room), drawn);
    room.addEventListener('click', event => this.look(event), { signal });
  }

  fetch(item: number): Promise<Picture> { return this.pictures.get(item); }

  show(picture: Picture | null, title: string): void { this.stage.show(picture, title); }

  dispose(): void { this.stage.dispose(); }

  private look(event: Event): void {
    const button = event.target instanceof Element ? event.target.closest<HTMLButtonElement>('[data-view]') : null;
    switch (button?.dataset.view) {
      case 'brighter': this.stage.adjust(1, 0); break;
      case 'darker': this.stage.adjust(-1, 0); break;
      case 'more': this.stage.adjust(0, 1); break;
      case 'less': this.stage.adjust(0, -1); break;
      case 'in': this.stage.zoom(1.25); break;
      case 'out': this.stage.zoom(0.8); break;
      case 'reset': this.stage.reset(); break;
    }
  }
}

interface Sound { item: number; outline: Outline }

/** Sounds of up to so many seconds are fetched whole ahead of time; longer ones are streamed. */
const wholeSeconds = 60;

const soundOf = (item: number): Sources => ({ audio: `/api/items/${item}/audio`, peaks: `/api/items/${item}/peaks`, spectrogram: `/api/items/${item}/spectrogram`, segments: null });

/** A sound over its waveform and spectrogram (player.ts), played as it comes; data-listen buttons play others, such as labelled cases like it. */
class SoundScreen implements Screen {
  private readonly sounds = new Ahead(load);
  private readonly stage: HTMLElement;
  private readonly other = new Audio();
  private shown: AbortController | null = null;
  private player: Player | null = null;

  constructor(private readonly room: HTMLElement, private readonly drawn: () => void, signal: AbortSignal) {
    this.stage = stageOf(room);
    const resize = new ResizeObserver(() => this.player?.wave.setOptions({ height: this.height(this.player.outline) }));
    resize.observe(this.stage);
    signal.addEventListener('abort', () => resize.disconnect());
    room.addEventListener('click', event => {
      const button = event.target instanceof Element ? event.target.closest<HTMLButtonElement>('[data-listen]') : null;
      if (button) this.listen(Number(button.dataset.listen));
    }, { signal });
  }

  fetch(item: number): Promise<Sound> { return this.sounds.get(item); }

  show(sound: Sound | null, title: string): void {
    this.clear();
    const wave = this.stage.querySelector<HTMLElement>('[data-wave]')!;
    wave.setAttribute('aria-label', title);
    if (!sound) return;
    this.shown = new AbortController();
    const player = this.player = Player.over(this.room, soundOf(sound.item), sound.outline, [], this.shown.signal);
    player.wave.setOptions({ height: this.height(sound.outline) });
    // A browser that wants to be asked first stays silent: the button says "Play".
    player.wave.once('ready', () => void player.wave.play().catch(() => { /* so it is not played */ }));
    this.drawn();
  }

  dispose(): void { this.clear(); }

  /** A channel's height: what the stage has left beside spectrogram and clock (app.css). */
  private height(outline: Outline): number {
    return Math.round(Math.min(240, Math.max(48, 0.38 * this.stage.clientHeight)) / (outline.apart ? 2 : 1));
  }

  private clear(): void {
    this.other.pause();
    this.player?.wave.pause();
    this.shown?.abort();
    [this.shown, this.player] = [null, null];
  }

  private listen(item: number): void {
    this.player?.wave.pause();
    this.other.src = soundOf(item).audio;
    void this.other.play().catch(() => { /* it cannot be loaded, or another was asked for */ });
  }
}

async function load(item: number): Promise<Sound> {
  const { audio, peaks } = soundOf(item);
  const outline = await fetchOutline(peaks);
  if (outline.seconds <= wholeSeconds) {
    // Into the browser's own store, from which it plays without a wait.
    const response = await fetch(audio);
    if (!response.ok) throw new Error(`The sound could not be fetched (${response.status}).`);
    await response.arrayBuffer();
  }
  return { item, outline };
}

const stageOf = (room: HTMLElement): HTMLElement => room.querySelector<HTMLElement>('[data-part="stage"]')!;
