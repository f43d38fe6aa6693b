import { Enums, RenderingEngine, init as initCore, metaData, type Types } from '@cornerstonejs/core';
import { init as initLoader } from '@cornerstonejs/dicom-image-loader';
import * as tools from '@cornerstonejs/tools';
import type { DotNet, Widget } from './widget';

/** Image ids in order of display, e.g. wadouri:/api/instances/7/file; the one to begin with; what the left button does. */
interface Options { images: string[]; start: number; tool: string }

let ready: Promise<void> | undefined;
let mounted = 0;

function prepare(): Promise<void> {
  return ready ??= (async () => {
    await initCore();
    await initLoader({ maxWebWorkers: 1 });
    tools.init();
    for (const tool of [tools.WindowLevelTool, tools.PanTool, tools.ZoomTool, tools.LengthTool, tools.StackScrollTool]) tools.addTool(tool);
  })();
}

/**
 * A stack of DICOM images: wheel scrolls, the left button does what is chosen, middle pans, right zooms. The buttons round it (data-tool, data-view) are heard here; the address names the image
 * that is shown, so a reload comes back to it.
 */
export async function mount(element: HTMLDivElement, options: Options, _: DotNet): Promise<Widget> {
  await prepare();
  const listeners = new AbortController();
  const id = `viewer-${++mounted}`;
  const engine = new RenderingEngine(id);
  element.addEventListener('contextmenu', event => event.preventDefault(), { signal: listeners.signal });
  engine.enableElement({ viewportId: id, type: Enums.ViewportType.STACK, element, defaultOptions: { background: [0.04, 0.047, 0.05] } });
  const viewport = engine.getViewport(id) as Types.IStackViewport;
  const group = tools.ToolGroupManager.createToolGroup(id)!;
  for (const name of [tools.WindowLevelTool.toolName, tools.PanTool.toolName, tools.ZoomTool.toolName, tools.LengthTool.toolName, tools.StackScrollTool.toolName]) group.addTool(name);
  group.addViewport(id, id);
  const room = element.closest('.viewer')!;
  const { MouseBindings } = tools.Enums;
  const primary: Record<string, string> = { window: tools.WindowLevelTool.toolName, pan: tools.PanTool.toolName, zoom: tools.ZoomTool.toolName, measure: tools.LengthTool.toolName };

  function choose(tool: string): void {
    for (const name of Object.values(primary)) group.setToolPassive(name, { removeAllBindings: true });
    group.setToolActive(tools.PanTool.toolName, { bindings: [{ mouseButton: MouseBindings.Auxiliary }] });
    group.setToolActive(tools.ZoomTool.toolName, { bindings: [{ mouseButton: MouseBindings.Secondary }, { numTouchPoints: 2 }] });
    group.setToolActive(tools.StackScrollTool.toolName, { bindings: [{ mouseButton: MouseBindings.Wheel }] });
    const chosen = primary[tool] ?? tools.WindowLevelTool.toolName;
    const other = chosen === tools.PanTool.toolName ? [{ mouseButton: MouseBindings.Auxiliary }] : chosen === tools.ZoomTool.toolName ? [{ mouseButton: MouseBindings.Secondary }, { numTouchPoints: 2 }] : [];
    group.setToolActive(chosen, { bindings: [{ mouseButton: MouseBindings.Primary }, { numTouchPoints: 1 }, ...other] });
    for (const button of room.querySelectorAll<HTMLElement>('[data-tool]')) button.setAttribute('aria-pressed', String(button.dataset.tool === tool));
  }

  const overlay = element.parentElement!.querySelector<HTMLElement>('[data-overlay]')!;
  const show = () => {
    const range = viewport.getProperties().voiRange;
    const window = range ? `window ${Math.round(range.upper - range.lower)}, level ${Math.round((range.upper + range.lower) / 2)}` : '';
    const plane = metaData.get('imagePlaneModule', viewport.getCurrentImageId()) as { rowPixelSpacing?: number } | undefined;
    overlay.textContent = [`${viewport.getCurrentImageIdIndex() + 1} of ${options.images.length}`, window, `zoom ${viewport.getZoom().toFixed(1)}`, plane?.rowPixelSpacing ? '' : 'no pixel spacing: lengths in pixels']
      .filter(Boolean).join(' · ');
  };
  element.addEventListener(Enums.Events.IMAGE_RENDERED, () => { element.dataset.rendered = 'true'; show(); }, { signal: listeners.signal });
  element.addEventListener(Enums.Events.STACK_NEW_IMAGE, () => {
    const address = new URL(location.href);
    address.searchParams.set('image', String(viewport.getCurrentImageIdIndex() + 1));
    history.replaceState(history.state, '', address);
  }, { signal: listeners.signal });
  const go = (by: number) => void viewport.setImageIdIndex(Math.max(0, Math.min(options.images.length - 1, viewport.getCurrentImageIdIndex() + by)));
  room.addEventListener('click', event => {
    const button = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-tool],[data-view]') : null;
    if (button?.dataset.tool) choose(button.dataset.tool);
    switch (button?.dataset.view) {
      case 'previous': go(-1); break;
      case 'next': go(1); break;
      case 'reset': viewport.resetProperties(); viewport.resetCamera(); viewport.render(); break;
      case 'clear': tools.annotation.state.removeAllAnnotations(); viewport.render(); break;
    }
  }, { signal: listeners.signal });

  const resize = new ResizeObserver(() => engine.resize(true, true));
  resize.observe(element);
  choose(options.tool);
  try {
    await viewport.setStack(options.images, Math.min(options.start, options.images.length - 1));
    viewport.render();
  } catch (error) {
    overlay.textContent = 'This image could not be shown.';
    console.error(error);
  }

  return {
    update: async next => {
      options = next as Options;
      await viewport.setStack(options.images, options.start);
      viewport.render();
    },
    dispose: () => {
      listeners.abort();
      resize.disconnect();
      tools.annotation.state.removeAllAnnotations();
      tools.ToolGroupManager.destroyToolGroup(id);
      engine.destroy();
    },
  };
}
