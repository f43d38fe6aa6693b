import { isComposing, isTyping, type DotNet, type Widget } from './widget';

/** One line of a page's table of shortcuts. `key` is KeyboardEvent.key; letters are compared without case. */
interface Shortcut { key: string; words: string; ctrl?: boolean }
interface Options { shortcuts: Shortcut[] }

/**
 * Takes the page's keys while nobody types and no other dialog is open. An element with data-key="K" is clicked at once, in the browser; a key without one is told to the server.
 * `?` opens the list of shortcuts (the element itself, a native dialog).
 */
export function mount(element: HTMLDialogElement, options: Options, dotnet: DotNet): Widget {
  const listeners = new AbortController();
  let shortcuts = options.shortcuts;
  let opener: Element | null = null;

  const open = () => {
    opener = document.activeElement;
    element.showModal();
  };
  element.addEventListener('close', () => { if (opener instanceof HTMLElement) opener.focus(); }, { signal: listeners.signal });
  element.addEventListener('click', event => { if (event.target === element) element.close(); }, { signal: listeners.signal });
  document.addEventListener('click', event => {
    if (event.target instanceof Element && event.target.closest('[data-shows-keys]')) open();
  }, { signal: listeners.signal });

  document.addEventListener('keydown', event => {
    if (event.defaultPrevented || isComposing(event) || event.altKey || event.metaKey || isTyping(event.target)) return;
    if (event.key === '?' && !element.open) { open(); event.preventDefault(); return; }
    if (document.querySelector('dialog[open], .mud-dialog-container, .mud-popover-open')) return;
    const same = (s: Shortcut) => s.key.toLowerCase() === event.key.toLowerCase() && (s.ctrl ?? false) === event.ctrlKey;
    const shortcut = shortcuts.find(same);
    if (!shortcut) return;
    // Enter and space belong to the button that has the focus, arrows to the slider.
    if ((event.key === 'Enter' || event.key === ' ') && event.target instanceof Element && event.target.closest('button, a, summary, input')) return;
    if (event.key.startsWith('Arrow') && event.target instanceof HTMLInputElement && (event.target.type === 'range' || event.target.type === 'radio')) return;
    event.preventDefault();
    // A key that is held goes on from place to place; it does not answer, merge or take out a dozen times.
    if (event.repeat && !event.key.startsWith('Arrow') && event.key !== 'F7' && event.key !== 'F9') return;
    const button = document.querySelector<HTMLElement>(`[data-key="${CSS.escape(shortcut.key)}"]`);
    if (button) { if (!button.matches(':disabled')) button.click(); }
    else void dotnet.invokeMethodAsync('OnKeyAsync', shortcut.key);
  }, { signal: listeners.signal });

  // Says that keys are taken from here on: who presses them by program waits for it.
  element.dataset.ready = 'true';
  return {
    update: next => { shortcuts = (next as Options).shortcuts; },
    dispose: () => listeners.abort(),
  };
}
