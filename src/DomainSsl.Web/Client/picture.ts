/** A grey window: values from centre − width/2 (black) to centre + width/2 (white). */
export interface Window { centre: number; width: number }

/** An image in memory. Grey values keep their full depth, so that windowing shows what a screen of 256 greys hides. */
export interface Picture {
  width: number;
  height: number;
  /** Pixel spacing, width over height: not all detectors have square pixels. */
  aspect: number;
  window: Window;
  inverted: boolean;
  grey: Uint16Array | null;
  colour: Uint8ClampedArray | null;
  /** As drawn with its own window, made before it is needed. */
  canvas: HTMLCanvasElement;
}

/** What stands before the values: magic, width, height, flags, window centre and width, aspect. */
export const headerBytes = 32;
const magic = 0x50535344; // "DSSP"

export interface Header { width: number; height: number; inverted: boolean; window: Window; aspect: number }

/** Reads the header of the site's own pixel format (little endian, see ScreenPixels.cs). */
export function readHeader(buffer: ArrayBuffer): Header {
  const view = new DataView(buffer);
  if (buffer.byteLength < headerBytes || view.getUint32(0, true) !== magic) throw new Error('This is not an image of the site.');
  const [width, height] = [view.getUint32(4, true), view.getUint32(8, true)];
  if (buffer.byteLength !== headerBytes + 2 * width * height) throw new Error('The image did not arrive whole.');
  return {
    width, height, inverted: (view.getUint32(12, true) & 1) !== 0,
    window: { centre: view.getFloat32(16, true), width: view.getFloat32(20, true) }, aspect: view.getFloat32(24, true),
  };
}

/** Screen grey of each of the 65,536 values that 16 bits can hold (DICOM PS3.3 C.11.2.1.2.1, linear). */
export function greyTable(window: Window, inverted: boolean): Uint8ClampedArray {
  const table = new Uint8ClampedArray(65536);
  const width = Math.max(1, window.width);
  for (let value = 0; value < 65536; value++) {
    const grey = ((value - (window.centre - 0.5)) / Math.max(1, width - 1) + 0.5) * 255;
    table[value] = inverted ? 255 - grey : grey;
  }
  return table;
}

function draw(picture: Picture, window: Window, target: HTMLCanvasElement): void {
  const context = target.getContext('2d')!;
  const image = context.createImageData(picture.width, picture.height);
  if (picture.grey) {
    const table = greyTable(window, picture.inverted);
    const values = picture.grey;
    const out = new Uint32Array(image.data.buffer);
    for (let i = 0; i < values.length; i++) {
      const g = table[values[i]!]!;
      out[i] = 0xff000000 | (g << 16) | (g << 8) | g;
    }
  } else {
    const table = greyTable(window, false);
    const from = picture.colour!;
    for (let i = 0; i < from.length; i += 4) {
      image.data[i] = table[from[i]!]!;
      image.data[i + 1] = table[from[i + 1]!]!;
      image.data[i + 2] = table[from[i + 2]!]!;
      image.data[i + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
}

/** Fetches an image and draws it out of sight, so that showing it later costs one copy. */
export async function loadPicture(url: string, signal?: AbortSignal): Promise<Picture> {
  const response = await fetch(url, { signal: signal ?? null });
  if (!response.ok) throw new Error(`The image could not be fetched (${response.status}).`);
  let picture: Picture;
  if (response.headers.get('Content-Type')?.startsWith('image/')) {
    const bitmap = await createImageBitmap(await response.blob());
    const canvas = newCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext('2d', { willReadFrequently: true })!;
    context.drawImage(bitmap, 0, 0);
    picture = {
      width: bitmap.width, height: bitmap.height, aspect: 1, window: { centre: 128, width: 256 }, inverted: false, grey: null,
      colour: context.getImageData(0, 0, bitmap.width, bitmap.height).data, canvas,
    };
    bitmap.close();
    return picture;
  }
  const buffer = await response.arrayBuffer();
  const header = readHeader(buffer);
  picture = { ...header, grey: new Uint16Array(buffer, headerBytes), colour: null, canvas: newCanvas(header.width, header.height) };
  draw(picture, picture.window, picture.canvas);
  return picture;
}

function newCanvas(width: number, height: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

/** How an image lies on its stage: as large as fits, times zoom, moved. */
export interface Lie { zoom: number; x: number; y: number }

/** Scale and corner at which an image of w×h (pixels of `aspect`) is drawn on a stage of W×H. */
export function placed(w: number, h: number, aspect: number, W: number, H: number, lie: Lie): { x: number; y: number; width: number; height: number } {
  const fit = Math.min(W / (w * aspect), H / h) * lie.zoom;
  const [width, height] = [w * aspect * fit, h * fit];
  return { x: (W - width) / 2 + lie.x, y: (H - height) / 2 + lie.y, width, height };
}

/**
 * The stage: shows one image as large as the window allows; window by dragging, zoom by wheel or pinch, move by dragging with Shift or another button (one finger where it is
 * zoomed). Each new image begins with its own window and whole.
 */
export class Stage {
  private readonly canvas: HTMLCanvasElement;
  private readonly listeners = new AbortController();
  private readonly pointers = new Map<number, { x: number; y: number }>();
  private picture: Picture | null = null;
  private changed: HTMLCanvasElement | null = null;
  private window: Window = { centre: 128, width: 256 };
  private lie: Lie = { zoom: 1, x: 0, y: 0 };
  private frame = 0;

  constructor(private readonly element: HTMLElement, private readonly drawn: () => void = () => { /* nobody asks */ }) {
    this.canvas = element.querySelector('canvas') ?? element.appendChild(document.createElement('canvas'));
    const { signal } = this.listeners;
    const resize = new ResizeObserver(() => this.resize());
    resize.observe(element);
    signal.addEventListener('abort', () => resize.disconnect());
    this.canvas.addEventListener('pointerdown', e => this.down(e), { signal });
    this.canvas.addEventListener('pointermove', e => this.move(e), { signal });
    for (const end of ['pointerup', 'pointercancel'] as const) this.canvas.addEventListener(end, e => this.pointers.delete(e.pointerId), { signal });
    this.canvas.addEventListener('contextmenu', e => e.preventDefault(), { signal });
    this.canvas.addEventListener('dblclick', () => this.reset(), { signal });
    this.canvas.addEventListener('wheel', e => { e.preventDefault(); this.zoomAt(Math.exp(-e.deltaY * 0.0015), e.offsetX, e.offsetY); }, { signal, passive: false });
    this.resize();
  }

  show(picture: Picture | null, description: string): void {
    this.picture = picture;
    this.canvas.setAttribute('aria-label', description);
    this.reset();
  }

  reset(): void {
    if (this.picture) this.window = { ...this.picture.window };
    this.changed = null;
    this.lie = { zoom: 1, x: 0, y: 0 };
    this.repaint();
  }

  /** Steps of a twelfth of the image's own window: brighter, darker, more or less contrast. */
  adjust(brighter: number, contrast: number): void {
    if (!this.picture) return;
    const step = this.picture.window.width / 12;
    const lighter = this.picture.inverted ? 1 : -1;
    this.rewindow(this.window.centre + lighter * brighter * step, this.window.width - contrast * step);
  }

  zoom(factor: number): void { this.zoomAt(factor, this.element.clientWidth / 2, this.element.clientHeight / 2); }

  dispose(): void {
    this.listeners.abort();
    cancelAnimationFrame(this.frame);
  }

  private rewindow(centre: number, width: number): void {
    this.window = { centre, width: Math.max(2, width) };
    this.changed ??= newCanvas(this.picture!.width, this.picture!.height);
    this.repaint(() => draw(this.picture!, this.window, this.changed!));
  }

  private zoomAt(factor: number, x: number, y: number): void {
    const zoom = Math.min(16, Math.max(1, this.lie.zoom * factor));
    const real = zoom / this.lie.zoom;
    const [cx, cy] = [x - this.element.clientWidth / 2, y - this.element.clientHeight / 2];
    this.lie = zoom === 1 ? { zoom, x: 0, y: 0 } : { zoom, x: cx - (cx - this.lie.x) * real, y: cy - (cy - this.lie.y) * real };
    this.repaint();
  }

  private down(event: PointerEvent): void {
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
  }

  private move(event: PointerEvent): void {
    const before = this.pointers.get(event.pointerId);
    if (!before || !this.picture) return;
    const now = { x: event.offsetX, y: event.offsetY };
    const [dx, dy] = [now.x - before.x, now.y - before.y];
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.pointers.set(event.pointerId, now);
    if (other) {
      const [from, to] = [Math.hypot(before.x - other.x, before.y - other.y), Math.hypot(now.x - other.x, now.y - other.y)];
      if (from > 0) this.zoomAt(to / from, (now.x + other.x) / 2, (now.y + other.y) / 2);
    } else if (event.shiftKey || event.buttons !== 1 || (event.pointerType === 'touch' && this.lie.zoom > 1)) {
      this.lie = { ...this.lie, x: this.lie.x + dx, y: this.lie.y + dy };
      this.repaint();
    } else {
      const unit = this.picture.window.width / 400;
      this.rewindow(this.window.centre + dy * unit * (this.picture.inverted ? -1 : 1), this.window.width + dx * unit);
    }
  }

  private resize(): void {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(this.element.clientWidth * ratio), Math.round(this.element.clientHeight * ratio)];
    if (width === 0 || height === 0 || (this.canvas.width === width && this.canvas.height === height)) return;
    this.canvas.width = width;
    this.canvas.height = height;
    this.paint();
  }

  private work: (() => void) | null = null;

  private repaint(work?: () => void): void {
    if (work) this.work = work;
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => { this.work?.(); this.work = null; this.paint(); this.drawn(); });
  }

  private paint(): void {
    const context = this.canvas.getContext('2d')!;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = '#000';
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    if (!this.picture) return;
    const ratio = window.devicePixelRatio || 1;
    const lie = { zoom: this.lie.zoom, x: this.lie.x * ratio, y: this.lie.y * ratio };
    const at = placed(this.picture.width, this.picture.height, this.picture.aspect, this.canvas.width, this.canvas.height, lie);
    // Smooth until somebody goes in deep enough to look at single pixels.
    context.imageSmoothingEnabled = this.lie.zoom < 6;
    context.imageSmoothingQuality = 'high';
    context.drawImage(this.changed ?? this.picture.canvas, at.x, at.y, at.width, at.height);
  }
}
