import { Reconnection } from './reconnect';
import { watchUnsent } from './unsent';

interface Blazor {
  start(options: object): Promise<void>;
  reconnect(): Promise<boolean>;
  addEventListener?(name: string, callback: () => void): void;
}
declare const Blazor: Blazor;

const reconnection = new Reconnection(() => Blazor.reconnect());
if ('Blazor' in window) {
  void Blazor.start({
    // A link that is followed before the page is live loads the next page as a whole. Blazor would put that page's text into this one, and the circuit, begun for this one, would then show this one again.
    ssr: { disableDomPreservation: true },
    circuit: {
      reconnectionHandler: {
        onConnectionDown: () => reconnection.down(),
        onConnectionUp: () => reconnection.up(),
      },
    },
  }).then(() => reconnection.restoreDrafts());
  void reconnection.watch();
} else reconnection.down(); // the server went away between this page and its script

// The skip link goes to the page itself: with a <base>, "#main" alone would lead to the front page.
document.addEventListener('click', event => {
  if (!(event.target instanceof Element) || !event.target.closest('.skip-link')) return;
  event.preventDefault();
  document.getElementById('main')?.focus();
});

// Native menus close when one clicks elsewhere or presses Escape, and give the focus back.
document.addEventListener('click', event => {
  for (const menu of document.querySelectorAll<HTMLDetailsElement>('details.menu[open]'))
    if (event.target instanceof Node && !menu.contains(event.target)) menu.open = false;
});
document.addEventListener('keydown', event => {
  if (event.key !== 'Escape') return;
  for (const menu of document.querySelectorAll<HTMLDetailsElement>('details.menu[open]')) {
    menu.open = false;
    menu.querySelector('summary')?.focus();
  }
});

// Who signs out in one window of a browser has signed out in all: the next person at this desk finds nothing open.
const signedOut = 'domainssl-signed-out';
if (location.pathname === '/account/sign-in') localStorage.setItem(signedOut, String(Date.now()));
window.addEventListener('storage', event => {
  if (event.key === signedOut && document.body.dataset.start) location.reload();
});

// Says that the page reacts: restored text and browser tests wait for it.
Object.assign(window, { domainssl: { ready: () => { document.body.dataset.ready = 'true'; } } });

const unsent = document.getElementById('unsent');
if (unsent) watchUnsent(unsent, { storage: localStorage, now: () => Date.now(), path: () => location.pathname });
