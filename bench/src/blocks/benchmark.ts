import { machine, type Report, versionOf } from '../report.js';
import { graphRows } from './graphs.js';
import { mainLoopRows } from './main-loop.js';
import { programFigures } from './programs.js';

/**
 * What libs/blocks itself takes: of graphs that are looked through and changed, and of a main loop around the step that it calls. And what the
 * programs of examples/ come to.
 */
export async function blocks(): Promise<Report> {
  const measured = [...(await graphRows()), ...(await mainLoopRows())];
  const { rows, versions, missing } = await programFigures();
  return {
    machine: machine(),
    versions: { onnxruntime: versionOf('onnxruntime-node'), ...versions },
    rows: [...measured, ...rows],
    missing,
  };
}
