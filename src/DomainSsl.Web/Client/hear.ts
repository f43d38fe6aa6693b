import type { Widget } from './widget';

/**
 * Stretches of recordings, heard where their words are listed: a click on a button with data-hear="RECORDING", data-from and data-to (seconds) plays that stretch, another one stops it; a button with data-hear-step goes to
 * the next such button, or the one before, and plays that. The sound is streamed from where it is asked for.
 */
export function mount(_element: HTMLElement): Widget {
  const listeners = new AbortController(), { signal } = listeners, sound = new Audio();
  let now: HTMLElement | null = null, end = Infinity, frame = 0, turn = 0;
  sound.preload = 'none';

  const stop = () => {
    sound.pause();
    cancelAnimationFrame(frame);
    now?.setAttribute('aria-pressed', 'false');
    now = null;
  };
  const watch = () => {
    if (sound.currentTime >= end || sound.ended) { stop(); return; }
    frame = requestAnimationFrame(watch);
  };
  const hear = (button: HTMLElement) => {
    const again = button === now, address = `/api/recordings/${button.dataset.hear}/audio`;
    stop();
    if (again) return;
    if (!sound.src.endsWith(address)) sound.src = address;
    sound.currentTime = Number(button.dataset.from);
    end = Number(button.dataset.to);
    now = button;
    button.setAttribute('aria-pressed', 'true');
    // Starting takes a while: the answer to a button that was left meanwhile says nothing of the next one.
    const mine = ++turn;
    sound.play().then(() => { if (mine === turn && now) watch(); }, () => { if (mine === turn) stop(); });
  };

  document.addEventListener('click', event => {
    const target = event.target instanceof Element ? event.target : null, button = target?.closest<HTMLElement>('[data-hear]'), step = target?.closest<HTMLElement>('[data-hear-step]');
    if (button) { hear(button); return; }
    if (!step) return;
    const all = [...document.querySelectorAll<HTMLElement>('[data-hear]')], at = all.indexOf(now ?? document.activeElement as HTMLElement), by = Number(step.dataset.hearStep);
    const next = all[at < 0 ? by > 0 ? 0 : all.length - 1 : at + by];
    if (!next) return;
    next.focus();
    if (next !== now) hear(next);
  }, { signal });
  sound.addEventListener('ended', stop, { signal });
  sound.addEventListener('error', stop, { signal });

  return { update: () => { /* it has no options */ }, dispose: () => { stop(); sound.removeAttribute('src'); listeners.abort(); } };
}
