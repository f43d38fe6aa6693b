/** What every module of a page gives back from mount: the C# side calls these by name. */
export interface Widget {
  update(options: unknown): void | Promise<void>;
  dispose(): void;
}

/** The component's side of a widget. */
export interface DotNet {
  invokeMethodAsync<T = void>(method: string, ...args: unknown[]): Promise<T>;
}

/** True while a person types: shortcuts must not take their keys. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  if (target instanceof HTMLInputElement) return !['button', 'checkbox', 'radio', 'range', 'submit', 'reset', 'file', 'color'].includes(target.type);
  return target.getAttribute('role') === 'combobox' || target.closest('[role="listbox"],[role="menu"]') !== null;
}

/** True for keys that an input method takes: the Enter that ends a composition is none of the page's. Some browsers send that one after the composition, with 229. */
export const isComposing = (event: KeyboardEvent): boolean => event.isComposing || event.keyCode === 229;

/** A custom property of the theme, as the page, or a part of it, has it now. */
export const themeColour = (name: string, at: Element = document.documentElement): string => getComputedStyle(at).getPropertyValue(name).trim();

/** Calls back whenever the colours of light and dark have changed places, until the signal ends. The server sends them a moment after the page has been told which it is. */
export function onSchemeChange(callback: () => void, signal: AbortSignal): void {
  let seen = themeColour('--mud-palette-background');
  const observer = new MutationObserver(() => {
    const until = performance.now() + 10_000;
    const look = (): void => {
      if (signal.aborted) return;
      const now = themeColour('--mud-palette-background');
      if (now !== seen) { seen = now; callback(); }
      else if (performance.now() < until) requestAnimationFrame(look);
    };
    look();
  });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-scheme'] });
  signal.addEventListener('abort', () => observer.disconnect());
}
