import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { createConfidenceModel } from '../../src/router/calibration/confidence-model'
import { loadDefaultCalibration } from '../../src/router/calibration/default-calibration'
import { readPrompt } from '../../src/router/signals/prompt-signal'

it('the calibration that ships is of the model that ships, and gives probabilities', async () => {
  const path = new URL('../../models/smollm2-135m-instruct-q4_1/manifest.json', import.meta.url)
  const { sha256 } = JSON.parse(await readFile(path, 'utf8')) as { sha256: string }
  const calibration = (await loadDefaultCalibration(sha256))!
  const confidences = createConfidenceModel(calibration, { modelHash: sha256 })
  const prompt = readPrompt('Who painted it?', { hidden: new Float32Array(576).fill(0.1), tokens: 40 })
  const sure = Array.from({ length: 6 }, () => ({ logprob: -0.01, margin: 6, entropy: 0.05 }))
  for (const confidence of [
    confidences.beforeAnswer(prompt),
    confidences.duringAnswer(prompt, sure, ''),
    confidences.afterAnswer(prompt, sure, ''),
  ]) {
    expect(confidence).toBeGreaterThan(0)
    expect(confidence).toBeLessThan(1)
  }
  expect(confidences.threshold('after', { kind: 'escalated', most: 0.2 })).not.toBeNull()
  expect(await loadDefaultCalibration('ab'.repeat(32))).toBeNull()
  expect(await loadDefaultCalibration(undefined)).toBeNull()
})
