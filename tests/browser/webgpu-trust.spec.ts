import { join } from 'node:path'
import { expect, test as base, type Page } from '@playwright/test'
import { build } from 'vite'
import { serve } from '../../scripts/serve'
import type { Mutation } from './webgpu-trust-page/gpu-faults'

// The functions given to evaluate() run in the page: what they need comes as their argument.

const ROOT = join(import.meta.dirname, '../..')
const PAGE = join(ROOT, 'build/webgpu-trust-page')

const test = base.extend<{ trustPage: Page }, { origin: string }>({
  origin: [
    async ({}, use) => {
      await build({
        configFile: false,
        root: join(import.meta.dirname, 'webgpu-trust-page'),
        base: './',
        logLevel: 'warn',
        build: { outDir: PAGE, emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0 },
        worker: { format: 'es' },
      })
      const server = await serve({ mounts: { '/': PAGE, '/models/': join(ROOT, 'models') } })
      await use(server.origin)
      await server.close()
    },
    { scope: 'worker' },
  ],
  trustPage: async ({ page, origin }, use) => {
    await page.goto(origin)
    await page.waitForFunction(() => 'trust' in globalThis)
    await use(page)
  },
  // The software adapter, in the page and in workers.
  launchOptions: async ({ launchOptions }, use) => {
    await use({ ...launchOptions, args: [...(launchOptions.args ?? []), '--enable-unsafe-webgpu'] })
  },
})

test.setTimeout(300_000)

const CYCLES = 50
const STEPS = 24

test('a KV cache that finds no room leaves its session as it was', async ({ trustPage }) => {
  const { refused, again, undisturbed } = await trustPage.evaluate(() => trust.growthWithoutRoom())
  expect(refused).toMatchObject({
    error: { code: 'out-of-memory', details: { sizeBytes: expect.any(Number) } },
  })
  expect(again).toEqual(undisturbed)
  expect(again[3]).toBe(270)
})

test('a model that finds no room is refused with the size', async ({ trustPage }) => {
  expect(await trustPage.evaluate(() => trust.loadWithoutRoom())).toMatchObject({
    error: { code: 'out-of-memory', message: expect.stringContaining('blk.0.attn_norm') },
  })
})

for (const call of ['decode', 'load'] as const) {
  test(`a device that goes during ${call} is reported by every call`, async ({ trustPage }) => {
    const outcomes = await trustPage.evaluate((name) => trust.destroyedDuring(name), call)
    const [first, ...others] = outcomes
    if (call === 'load') expect(first).toMatchObject({ error: { code: 'device-lost' } })
    else expect(first).toEqual({ value: 10, error: null })
    for (const other of others) expect(other).toMatchObject({ error: { code: 'device-lost' } })
  })
}

test('50 cycles of loading and disposing leave no buffer and no device behind', async ({ trustPage }) => {
  const left = await trustPage.evaluate((count) => trust.cycles(count), CYCLES)
  expect(left).toEqual(Array.from({ length: CYCLES }, () => 0))
})

/** What browsers, drivers and shader compilers have been seen to do, or might: one operation wrong in one kernel. */
const MUTATIONS: Record<string, Mutation> = {
  'a norm multiplies by the root': { label: 'matmul', from: 'inverseSqrt(', to: 'sqrt(' },
  'a norm gives no number': { label: 'matmul', from: 'inverseSqrt(', to: 'inverseSqrt(-' },
  'the softmax has another base': { label: 'attention', from: 'exp(', to: 'exp2(' },
  'heads read the wrong keys': { label: 'attention', from: 'head * kvHeads / heads', to: 'head % kvHeads' },
  'a token does not see itself': {
    label: 'attention',
    from: 'step.start + token + 1u',
    to: 'step.start + token',
  },
  'the activation has another sign': { label: 'matmul gated', from: 'exp(-x)', to: 'exp(x)' },
  'a rotation turns the other way': { label: 'matmul rotated', from: '- y.y * turn.y', to: '+ y.y * turn.y' },
  'high nibbles are cut off': { label: 'matmul', from: '>> 4u) & 0x0f0f0f0fu', to: '>> 4u) & 0x07070707u' },
  'the residual is overwritten': { label: 'matmul add', from: '+= y', to: '= y' },
  'the likeliest token is another': { label: 'logits of a chunk', from: 'best = i;', to: 'best = base;' },
  'the sum of a row is a fifth': {
    label: 'logits of a row',
    from: 'sum += chunk.z * fade',
    to: 'sum += chunk.z * fade * 0.2',
  },
  'the smallest are taken for the largest': { label: 'take logits', from: 'k > border', to: 'k < border' },
  'a step follows the wrong token': { label: 'feed', from: '].x)', to: '].x + 1.0)' },
  'keys that move are not turned': { label: 'shift', from: 'id.y < kvHeads', to: 'false' },
}

test('the probe catches each kernel that was made wrong', async ({ trustPage }) => {
  const names = Object.keys(MUTATIONS)
  const [right, ...wrong] = await trustPage.evaluate(
    (changes) => trust.mutations(changes),
    Object.values(MUTATIONS),
  )
  expect(right).toEqual({ changed: 0, problem: null })
  const found = Object.fromEntries(names.map((name, i) => [name, wrong[i]]))
  console.info(found)
  for (const name of names) {
    expect
      .soft(found[name]!.changed, `${name}: changes nothing any more, so write it anew`)
      .toBeGreaterThan(0)
    expect.soft(found[name]!.problem, name).not.toBeNull()
  }
})

test('a lost device is replaced in the middle of prefill, and WebAssembly takes over in the middle of an answer', async ({
  trustPage,
}) => {
  expect(await trustPage.evaluate(() => trust.openRecovering())).toMatch(
    /^WebGPU on .* was asked for\. It passed the probe in \d+ ms\.$/,
  )
  const undisturbed = await trustPage.evaluate((steps) => trust.answer(steps, null), STEPS)
  expect(undisturbed.kind).toBe('webgpu')
  const replaced = await trustPage.evaluate((steps) => trust.answer(steps, 'prefill'), STEPS)
  expect(replaced).toMatchObject({
    kind: 'webgpu',
    reason: expect.stringContaining('on a new device'),
  })
  expect(replaced.tokens).toEqual(undisturbed.tokens)
  expect(replaced.logits).toEqual(undisturbed.logits)
  const taken = await trustPage.evaluate((steps) => trust.answer(steps, 'decode'), STEPS)
  expect(taken).toMatchObject({
    kind: 'wasm',
    reason: expect.stringContaining('WebAssembly took over'),
  })
  expect(taken.tokens).toEqual(undisturbed.tokens)
})

test('an answer goes on when the GPU process is killed, and when it is killed again', async ({
  trustPage,
}) => {
  const session = await trustPage.context().browser()!.newBrowserCDPSession()
  await trustPage.evaluate(() => trust.openRecovering())
  // Long enough to be hit in the prefill, where the wait is another one than for logits.
  const undisturbed = await trustPage.evaluate((steps) => trust.answer(steps, null, 250), STEPS)
  for (const kind of ['webgpu', 'wasm']) {
    const disturbed = trustPage.evaluate((steps) => trust.answer(steps, 'outside', 250), STEPS)
    await trustPage.waitForTimeout(500)
    await session.send('Browser.crashGpuProcess')
    const answer = await disturbed
    expect(answer.tokens).toEqual(undisturbed.tokens)
    expect(answer.kind).toBe(kind)
  }
})

test('WebAssembly takes over in the middle of an answer whose KV cache finds no room', async ({
  trustPage,
}) => {
  await trustPage.evaluate(() => trust.openRecovering())
  // The cache grows beyond its first 256 positions in the middle of the answer.
  const undisturbed = await trustPage.evaluate((steps) => trust.answer(steps, null, 250), STEPS)
  const taken = await trustPage.evaluate((steps) => trust.answer(steps, 'room', 250), STEPS)
  expect(taken).toMatchObject({
    kind: 'wasm',
    reason: expect.stringMatching(/WebAssembly took over\. The KV cache of layer 0 for 512 tokens needs/),
  })
  expect(taken.tokens).toEqual(undisturbed.tokens)
})

/** What a run gave, but not what its probe took. */
function withoutTime<Result extends { reason: string }>(result: Result): Result {
  return { ...result, reason: result.reason.replace(/\d+ ms/, 'some ms') }
}

test('two tabs answer at once, each on a device of its own', async ({ trustPage, origin, context }) => {
  const other = await context.newPage()
  await other.goto(origin)
  await other.waitForFunction(() => 'trust' in globalThis)
  const tabs = [trustPage, other]
  await Promise.all(tabs.map((tab) => tab.evaluate(() => trust.openRecovering())))
  const [first, second] = await Promise.all(
    tabs.map(async (tab) => withoutTime(await tab.evaluate((steps) => trust.answer(steps, null), STEPS))),
  )
  expect(first).toEqual(second)
  expect(first!.kind).toBe('webgpu')
  // What becomes of one does not touch the other.
  const lost = tabs[0]!.evaluate((steps) => trust.answer(steps, 'prefill'), STEPS)
  const undisturbed = await tabs[1]!.evaluate((steps) => trust.answer(steps, null), STEPS)
  expect(withoutTime(undisturbed)).toEqual(first)
  expect((await lost).tokens).toEqual(first!.tokens)
})

test('both backends are timed, the faster one stays, and the next time it alone is loaded', async ({
  trustPage,
}) => {
  const [measured, remembered] = await trustPage.evaluate(() => trust.auto())
  expect(measured).toMatchObject({ kind: 'wasm', gpus: 1, notes: 1 })
  expect(measured!.reason).toMatch(/^WebAssembly is \d+\.\d × as fast as seeming gpu here\.$/)
  expect(remembered).toEqual({ ...measured, gpus: 0 })
})

test('an adapter is asked for with the preference, the second one too', async ({ trustPage }) => {
  const asked = await trustPage.evaluate(() => trust.preferences('low-power'))
  expect(asked.length).toBeGreaterThanOrEqual(4)
  expect(new Set(asked)).toEqual(new Set(['low-power']))
})

test('a worker that is ended in the middle of an answer leaves the GPU to the next one', async ({
  trustPage,
}) => {
  await trustPage.evaluate(() => trust.openRecovering())
  const undisturbed = await trustPage.evaluate((steps) => trust.answer(steps, null), STEPS)
  await trustPage.evaluate(async (steps) => {
    void trust.answer(steps, null)
    // Behind the prefill, with steps under way.
    await new Promise((resolve) => setTimeout(resolve, 300))
    restartTrust()
  }, STEPS)
  await trustPage.evaluate(() => trust.openRecovering())
  const again = await trustPage.evaluate((steps) => trust.answer(steps, null), STEPS)
  expect(withoutTime(again)).toEqual(withoutTime(undisturbed))
})
