import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { RunningApi } from './running-api.js';

const candidates = [
  process.env['CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];
const executablePath = candidates.find((path) => path !== undefined && existsSync(path));
const why = executablePath === undefined ? ' (no Chromium here: install chromium, or name one in CHROMIUM)' : '';

describe.skipIf(executablePath === undefined)(`the page in a browser${why}`, () => {
  let api: RunningApi;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    api = await RunningApi.start();
    browser = await chromium.launch({
      ...(executablePath !== undefined && { executablePath }),
      args: ['--no-sandbox'],
    });
  });

  afterAll(async () => {
    await browser.close();
    await api.stop();
  });

  beforeEach(async () => {
    context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    page = await context.newPage();
    complaints = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.setDefaultTimeout(240_000);
  });

  afterEach(async () => {
    await context.close();
  });

  test('a token in the address is taken out of it, and signs in a reloaded page and other tabs, until one signs out', async () => {
    await page.goto(`${api.url}/#token=${api.token}`);
    await page.getByRole('heading', { name: 'Experiments', exact: true }).waitFor();
    expect(page.url()).toBe(`${api.url}/`);

    await page.reload();
    await page.getByRole('heading', { name: 'Experiments', exact: true }).waitFor();
    const other = await context.newPage();
    await other.goto(api.url);
    await other.getByRole('heading', { name: 'Experiments', exact: true }).waitFor();
    // No script can read what signs in, nor is the token kept.
    expect(await other.evaluate(() => [document.cookie, localStorage.length, sessionStorage.length])).toEqual([
      '',
      0,
      0,
    ]);

    await other.getByRole('button', { name: 'Sign out' }).click();
    await other.getByLabel('Token').waitFor();
    await page.getByLabel('Token').waitFor();
  });

  test('without a token the page asks for it, says when it is wrong, and works by keyboard alone', async () => {
    await page.goto(api.url);
    await page.getByLabel('Token').fill('a-token-that-is-wrong');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('does not accept this token').waitFor();

    await page.getByLabel('Token').fill(api.token);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'No experiments yet' }).waitFor();
    await page.getByText('submit examples/fashion-mlp.yaml').waitFor();

    await page.getByRole('button', { name: 'Sign out' }).focus();
    await page.keyboard.press('Enter');
    await page.getByLabel('Token').waitFor();
    expect(complaints).toEqual([]);
  });

  test('what is submitted appears by itself, moves, and shows how it ended', async () => {
    await page.goto(`${api.url}/#token=${api.token}`);
    await page.getByRole('heading', { name: 'No experiments yet' }).waitFor();

    await api.writeRawFiles();
    await api.post('/v1/datasets', { name: 'tiny', converter: 'mnist', source: { folder: 'tiny' } });
    const datasets = page.getByRole('region', { name: 'Datasets' });
    await datasets.getByText('ready').waitFor();
    expect(await datasets.innerText()).toMatch(/tiny[^]*train\s+640\s+test\s+100/);

    await api.post('/v1/experiments', experiment('short', 3));
    const short = page.getByRole('listitem').filter({ hasText: 'short' });
    await short.getByText('succeeded').waitFor();
    expect(await short.innerText()).toMatch(/30 of 30 steps[^]*Accuracy\s+\d+\.\d\d %[^]*Restarts\s+0/);
    expect(await short.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('100');

    await short.getByRole('link', { name: 'short' }).click();
    await expectRun(page, 'succeeded');
    const file = await downloaded(page, 'parameters.safetensors');
    expect(file.subarray(8, 9).toString()).toBe('{');
    expect(file.length).toBe(8 + Number(file.readBigUInt64LE()) + 4 * (64 * 16 + 16 + 16 * 10 + 10));
    expect((await downloaded(page, 'epochs.csv')).toString()).toMatch(/^epoch,/);
    // Its address can be shared.
    const other = await context.newPage();
    await other.goto(page.url());
    await expectRun(other, 'succeeded');
    await other.getByRole('link', { name: 'All experiments' }).click();
    await other.getByRole('heading', { name: 'Experiments', exact: true }).waitFor();
    await other.goto(`${api.url}/experiments/exp_${'0'.repeat(32)}`);
    await other.getByRole('alert').getByText('There is no experiment').waitFor();
    await other.close();
    await page.goBack();

    const { id } = await api.post('/v1/experiments', experiment('long', 100_000));
    const long = page.getByRole('listitem').filter({ hasText: 'long' });
    await long.getByText('running').waitFor();
    await long.getByText(/steps\/s/).waitFor();
    const before = await stepOf(long.innerText());
    await expect.poll(() => stepOf(long.innerText())).toBeGreaterThan(before);

    // It grows while one looks.
    const watching = await context.newPage();
    await watching.goto(`${api.url}/experiments/${String(id)}`);
    const newest = watching.getByRole('region', { name: 'Log' }).getByRole('row').nth(1);
    const first = await newest.innerText();
    await expect.poll(() => newest.innerText()).not.toBe(first);
    await watching.setViewportSize({ width: 390, height: 844 });
    expect(await watching.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    await api.post(`/v1/experiments/${String(id)}/cancel`);
    await watching.getByRole('region', { name: 'Attempts' }).getByText('cancelled').waitFor();
    await watching.close();
    await long.getByText('cancelled', { exact: true }).waitFor();
    await page.getByRole('button', { name: /^cancelled/ }).click();
    expect(await page.getByRole('region', { name: 'Experiments', exact: true }).getByRole('listitem').count()).toBe(1);

    await page.setViewportSize({ width: 390, height: 844 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    expect(complaints).toEqual([]);
  });

  test('when the API hangs the page says since when it is not live, and recovers with it', async () => {
    await page.goto(`${api.url}/#token=${api.token}`);
    await page.getByText('Live', { exact: true }).waitFor();
    const pid = await api.pid();
    process.kill(pid, 'SIGSTOP');
    try {
      await page.getByText(/^Not live since \d\d:\d\d:\d\d$/).waitFor();
      expect(await page.getByText('Live', { exact: true }).count()).toBe(0);
      await page.getByRole('alert').getByText('The API does not answer').waitFor();
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await page.getByText('Live', { exact: true }).waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
  });

  test('when the API is gone the page says so, keeps what it shows, and recovers', async () => {
    await page.goto(`${api.url}/#token=${api.token}`);
    await page.getByText('short').waitFor();
    await context.setOffline(true);
    await page.getByRole('alert').getByText('The API does not answer').waitFor();
    await page.getByText('No connection').waitFor();
    expect(await page.getByText('short').count()).toBe(1);

    await context.setOffline(false);
    await page.getByText('Live', { exact: true }).waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
  });
});

/** The page of the run `short`, with what it has. */
async function expectRun(page: Page, status: string): Promise<void> {
  await page.getByRole('heading', { name: 'short' }).waitFor();
  await page.getByText(status, { exact: true }).first().waitFor();
  const curve = page.getByRole('img', { name: 'test_cost over steps' }).locator('canvas');
  await expect.poll(() => curve.evaluate(pixelsOfCurve)).toBeGreaterThan(100);
  expect(await page.getByRole('region', { name: 'Attempts' }).innerText()).toMatch(/succeeded\s+0 → 30/);
  await page.getByRole('region', { name: 'Log' }).getByText('test_cost').first().waitFor();
  await page.getByRole('region', { name: 'Checkpoints' }).getByText('30', { exact: true }).waitFor();
}

/** How much of a canvas has the colour of curves, not of axes. */
function pixelsOfCurve(canvas: SVGElement | HTMLElement): number {
  if (!(canvas instanceof HTMLCanvasElement)) return 0;
  const { data = [] } = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? {};
  let count = 0;
  for (let at = 0; at < data.length; at += 4) {
    const [red = 0, green = 0] = data.slice(at, at + 2);
    if (green - red > 60 && (data[at + 3] ?? 0) > 128) count += 1;
  }
  return count;
}

async function downloaded(page: Page, name: string): Promise<Buffer> {
  const begun = page.waitForEvent('download');
  await page.getByRole('link', { name, exact: true }).click();
  return await readFile(await (await begun).path());
}

function experiment(name: string, epochs: number): object {
  return {
    name,
    program: 'mlp',
    dataset: 'tiny',
    params: { dims: [64, 16, 10], activations: ['rectifier', 'softmax'], batchSize: 64, epochs, learningRate: 0.01 },
    resources: { threads: 1 },
  };
}

async function stepOf(text: Promise<string>): Promise<number> {
  return Number(/([\d,]+) of [\d,]+ steps/.exec(await text)?.[1]?.replaceAll(',', '') ?? 0);
}
