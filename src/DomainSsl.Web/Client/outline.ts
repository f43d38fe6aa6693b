/** What a recording is drawn from, as the server made it at import: the tab never decodes the sound. */
export interface Outline {
  seconds: number;
  perSecond: number;
  /** As wavesurfer takes them: largest and smallest samples of one voice, or the largest of each of two speakers. */
  peaks: Float32Array[];
  /** Two channels that are two speakers. */
  apart: boolean;
  spectrogram: Overview | null;
}

/** The whole sound in at most some 4,000 columns; in full there are `columnsPerSecond`. Levels column by column, low bands first, 255 at full scale, 0 at −100 dB. */
export interface Overview { bands: number; secondsPerColumn: number; columnsPerSecond: number; levels: Uint8Array }

interface Stored {
  seconds: number; perSecond: number; scale?: number; channels?: string[];
  spectrogram?: { bands: number; secondsPerColumn: number; columnsPerSecond: number; levels: string };
  /** Recordings imported by older versions. */
  max?: number[]; min?: number[];
}

export async function fetchOutline(url: string, signal?: AbortSignal): Promise<Outline> {
  const response = await fetch(url, { signal: signal ?? null });
  if (!response.ok) throw new Error(`The outline of the recording could not be loaded (${response.status}).`);
  return readOutline(await response.json() as Stored);
}

export function readOutline(stored: Stored): Outline {
  const { seconds, perSecond } = stored, drawn = stored.spectrogram;
  const spectrogram = drawn ? { ...drawn, levels: bytes(drawn.levels) } : null;
  if (!stored.channels) return { seconds, perSecond, apart: false, spectrogram, peaks: [Float32Array.from(stored.max ?? []), Float32Array.from(stored.min ?? [])] };
  const step = (stored.scale ?? 1) / 127;
  const channels = stored.channels.map(text => new Int8Array(bytes(text).buffer));
  const every = (of: Int8Array, from: 0 | 1) => Float32Array.from({ length: of.length / 2 }, (_, i) => of[2 * i + from]! * step);
  // Drawn by itself a speaker's half wave is mirrored: the larger of both sides.
  const either = (of: Int8Array) => Float32Array.from({ length: of.length / 2 }, (_, i) => Math.max(-of[2 * i]!, of[2 * i + 1]!) * step);
  const apart = channels.length === 2;
  return { seconds, perSecond, apart, spectrogram, peaks: apart ? channels.map(either) : [every(channels[0]!, 1), every(channels[0]!, 0)] };
}

function bytes(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64), out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
  return out;
}
