import { Player, type Sources } from './player';
import type { Widget } from './widget';

/** The page of a recording: its player, and nothing else. */
export async function mount(element: HTMLElement, options: Sources): Promise<Widget> {
  const listeners = new AbortController();
  await Player.open(element, options, listeners.signal);
  return { update: () => undefined, dispose: () => listeners.abort() };
}
