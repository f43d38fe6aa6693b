// Runs before the first paint. Light and dark follow the system unless the person chose one; the server reads both from cookies, so that what it renders has the right colours.
const year = 60 * 60 * 24 * 365;
const read = (name: string) => document.cookie.split('; ').find(c => c.startsWith(name + '='))?.slice(name.length + 1);
const write = (name: string, value: string) => { document.cookie = `${name}=${value}; path=/; max-age=${year}; samesite=strict`; };
const system = matchMedia('(prefers-color-scheme: dark)');

function apply(): string {
  const choice = read('scheme') ?? 'system';
  const now = choice === 'dark' || choice === 'light' ? choice : system.matches ? 'dark' : 'light';
  document.documentElement.dataset.scheme = now;
  if (read('scheme-now') !== now) write('scheme-now', now);
  return now;
}

const rendered = document.documentElement.dataset.scheme;
if (apply() !== rendered && read('scheme-now')) location.reload();

Object.assign(window, {
  domainsslScheme: {
    choose(choice: string) { write('scheme', choice); return apply() === 'dark'; },
    watch(dotnet: { invokeMethodAsync(name: string, dark: boolean): Promise<void> }) {
      const tell = () => void dotnet.invokeMethodAsync('OnSchemeAsync', apply() === 'dark').catch(() => undefined);
      system.addEventListener('change', tell);
      // It may have changed between the document and its circuit.
      if (apply() !== rendered) tell();
    },
  },
});
