import { machine, type Report, versionOf } from '../report.js';
import { graphRows } from './graphs.js';
import { mainLoopRows } from './main-loop.js';

/** What libs/blocks itself takes: of graphs that are looked through and changed, and of a main loop around the step that it calls. */
export async function blocks(): Promise<Report> {
  const rows = [...(await graphRows()), ...(await mainLoopRows())];
  return { machine: machine(), versions: { onnxruntime: versionOf('onnxruntime-node') }, rows };
}
