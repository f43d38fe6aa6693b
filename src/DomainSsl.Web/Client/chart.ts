import uPlot from 'uplot';
import { onSchemeChange, themeColour, type Widget } from './widget';

/** A line chart of numbers over steps or time. Several lines have their colours and words in the legend, which says the values under the pointer, else the last ones; one line alone has it only under the pointer. The newest points are appended, never the whole sent again. */
interface Options { x: string; y: string; lines: { label: string; colour: string; dash?: number[] }[]; height: number; log?: boolean }
interface Points { x: number[]; y: (number | null)[][] }

export function mount(element: HTMLElement, options: Options): Widget & { set(points: Points): void; append(points: Points): void } {
  const listeners = new AbortController();
  let data: (number | null)[][] = [[], ...options.lines.map(() => [])];
  let plot = create();

  function create(): uPlot {
    const ink = themeColour('--mud-palette-text-secondary'), grid = themeColour('--mud-palette-lines-default');
    const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 }, font: '13px "Source Sans 3"', labelFont: '13px "Source Sans 3"' };
    element.classList.toggle('alone', options.lines.length === 1);
    const value = (of: uPlot, at: number | null, line: number, index: number | null) => {
      const shown = index === null ? of.data[line]?.at(-1) : at;
      return shown === null || shown === undefined ? '' : String(Number(shown.toPrecision(line === 0 ? 12 : 4)));
    };
    return new uPlot({
      width: Math.max(200, element.clientWidth),
      height: options.height,
      scales: { x: { time: false }, y: options.log ? { distr: 3 } : {} },
      axes: [{ ...axis, label: options.x, labelSize: 20 }, { ...axis, label: options.y, labelSize: 20, size: 64 }],
      series: [
        { label: options.x, value },
        ...options.lines.map(line => ({ label: line.label, stroke: line.colour, width: 2, dash: line.dash, spanGaps: true, points: { show: false }, value })),
      ],
      cursor: { drag: { x: true, y: false } },
    }, data as uPlot.AlignedData, element);
  }

  const resize = new ResizeObserver(() => plot.setSize({ width: Math.max(200, element.clientWidth), height: options.height }));
  resize.observe(element);
  onSchemeChange(() => { plot.destroy(); plot = create(); }, listeners.signal);

  return {
    update: next => { options = next as Options; plot.destroy(); plot = create(); },
    set: points => { data = [points.x, ...points.y]; plot.setData(data as uPlot.AlignedData); },
    append: points => {
      data = data.map((column, i) => column.concat(i === 0 ? points.x : points.y[i - 1] ?? points.x.map(() => null)));
      plot.setData(data as uPlot.AlignedData);
    },
    dispose: () => { listeners.abort(); resize.disconnect(); plot.destroy(); },
  };
}
