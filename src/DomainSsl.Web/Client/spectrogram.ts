import type { Outline, Overview } from './outline';

/** A stretch of speech: seconds, and the channel it is on. */
export interface Speech { start: number; end: number; channel: number }

/** Seconds of a piece of the full spectrogram that is fetched at once (192 kB). */
const piece = 60;

/** A column wider than this on the screen, pixels, asks for the full spectrogram. */
const coarse = 4;

/** From black over violet and orange to near white, growing evenly in lightness: what is louder is lighter, also without colours. */
const colours = table([[0, 0, 4], [40, 11, 84], [101, 21, 110], [159, 42, 99], [212, 72, 66], [245, 125, 21], [250, 193, 39], [252, 255, 164]]);

/**
 * Draws the spectrogram of the stretch that is shown, and speech as bars above it. From far away the overview that came with the outline is enough; near by, pieces of the full one are fetched as they
 * come into sight.
 */
export class Spectrogram {
  private readonly pieces = new Map<number, Uint8Array | 'asked'>();
  private start = 0;
  private end = 0;
  private frame = 0;
  private readonly range: readonly [number, number];

  constructor(private readonly canvas: HTMLCanvasElement, private readonly bars: HTMLCanvasElement | null, private readonly outline: Outline, private readonly url: string | null,
    private readonly speech: readonly Speech[], private readonly signal: AbortSignal) {
    const loudest = outline.spectrogram?.levels.reduce((most, level) => Math.max(most, level), 0) ?? 255;
    this.range = [Math.max(0, loudest - 150), Math.max(1, loudest)]; // some 60 dB
    const observer = new ResizeObserver(() => this.redraw());
    observer.observe(canvas);
    signal.addEventListener('abort', () => { observer.disconnect(); cancelAnimationFrame(this.frame); });
  }

  /** Shows a stretch, in seconds. */
  show(start: number, end: number): void {
    [this.start, this.end] = [start, end];
    this.redraw();
  }

  redraw(): void {
    this.frame ||= requestAnimationFrame(() => { this.frame = 0; this.draw(); });
  }

  private draw(): void {
    const { start, end } = this, overview = this.outline.spectrogram;
    const width = this.canvas.clientWidth, height = this.canvas.clientHeight;
    if (width === 0 || end <= start) return;
    if (overview) {
      const context = sized(this.canvas, width, height);
      const close = this.url !== null && width / (end - start) * overview.secondsPerColumn > coarse;
      this.columns(context, width, height, overview, overview.levels, 0, 1 / overview.secondsPerColumn);
      if (close) for (let n = Math.floor(start / piece); n * piece < end; n++) {
        const levels = this.pieces.get(n);
        if (levels === undefined) void this.fetch(n, overview);
        else if (levels !== 'asked') this.columns(context, width, height, overview, levels, n * piece, overview.columnsPerSecond);
      }
    }
    if (this.bars) {
      const context = sized(this.bars, width, this.bars.clientHeight), rows = this.outline.apart ? 2 : 1, row = this.bars.clientHeight / rows;
      const channel = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name);
      for (let i = firstAfter(this.speech, start); i < this.speech.length && this.speech[i]!.start < end; i++) {
        const s = this.speech[i]!, x = (s.start - start) / (end - start) * width;
        context.fillStyle = channel(s.channel === 0 ? '--class-5' : '--class-2');
        context.fillRect(x, s.channel * row + 1, Math.max(1, (s.end - s.start) / (end - start) * width - 1), row - 2);
      }
    }
  }

  /** Draws columns from `from` seconds on, so many a second, over what is there. */
  private columns(context: CanvasRenderingContext2D, width: number, height: number, { bands }: Overview, levels: Uint8Array, from: number, perSecond: number): void {
    const total = levels.length / bands;
    const first = Math.max(0, Math.floor((this.start - from) * perSecond)), last = Math.min(total, Math.ceil((this.end - from) * perSecond));
    if (last <= first) return;
    // Where columns are narrower than a pixel, the loudest of those in it.
    const group = Math.max(1, Math.floor((last - first) / (2 * width))), count = Math.ceil((last - first) / group);
    const image = new ImageData(count, bands), [low, high] = this.range;
    for (let c = 0; c < count; c++) {
      for (let b = 0; b < bands; b++) {
        let level = 0;
        for (let i = first + c * group; i < Math.min(last, first + (c + 1) * group); i++) level = Math.max(level, levels[i * bands + b]!);
        const colour = 3 * Math.round(255 * Math.min(1, Math.max(0, (level - low) / (high - low)))), at = 4 * ((bands - 1 - b) * count + c);
        [image.data[at], image.data[at + 1], image.data[at + 2], image.data[at + 3]] = [colours[colour]!, colours[colour + 1]!, colours[colour + 2]!, 255];
      }
    }
    const picture = new OffscreenCanvas(count, bands);
    picture.getContext('2d')!.putImageData(image, 0, 0);
    const x = (seconds: number) => (seconds - this.start) / (this.end - this.start) * width;
    const left = x(from + first / perSecond);
    context.drawImage(picture, left, 0, x(from + (first + count * group) / perSecond) - left, height);
  }

  private async fetch(n: number, { bands, columnsPerSecond }: Overview): Promise<void> {
    this.pieces.set(n, 'asked');
    const bytes = piece * columnsPerSecond * bands;
    try {
      const response = await fetch(this.url!, { headers: { Range: `bytes=${n * bytes}-${(n + 1) * bytes - 1}` }, signal: this.signal });
      if (response.status !== 206) throw new Error(String(response.status));
      this.pieces.set(n, new Uint8Array(await response.arrayBuffer()));
      this.redraw();
    } catch {
      // The overview stays; asked for again when it comes into sight once more.
      setTimeout(() => this.pieces.delete(n), 5000);
    }
  }
}

/** The first stretch that ends after a moment; stretches are in order of their starts, so one that overlaps comes right before. */
export function firstAfter(speech: readonly Speech[], seconds: number): number {
  let low = 0, high = speech.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (speech[middle]!.start < seconds) low = middle + 1; else high = middle;
  }
  // Of two channels a long stretch may have begun before short ones of the other; none is longer than 15 s.
  while (low > 0 && speech[low - 1]!.start > seconds - 15) low--;
  while (low < speech.length && speech[low]!.end <= seconds) low++;
  return low;
}

function sized(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const ratio = window.devicePixelRatio || 1;
  [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
  const context = canvas.getContext('2d')!;
  context.scale(ratio, ratio);
  return context;
}

function table(stops: readonly (readonly [number, number, number])[]): Uint8ClampedArray {
  const out = new Uint8ClampedArray(3 * 256);
  for (let i = 0; i < 256; i++) {
    const at = i / 255 * (stops.length - 1), n = Math.min(stops.length - 2, Math.floor(at));
    for (let c = 0; c < 3; c++) out[3 * i + c] = stops[n]![c]! + (at - n) * (stops[n + 1]![c]! - stops[n]![c]!);
  }
  return out;
}
