import { expect, it } from 'vitest'
import { createHarness, rejection, says, user } from './engine-harness'

it('goes on with an answer that was begun', async () => {
  const { engine } = createHarness({ logits: says('once upon a time') })
  const messages = [user('tell'), { role: 'assistant' as const, content: 'once upon' }]
  const { choices } = await engine.chat.completions.create({ messages, minnow: { continueAnswer: true } })
  expect(choices[0]?.message.content).toBe(' a time')
  const anew = await engine.chat.completions.create({ messages })
  expect(anew.choices[0]?.message.content).toBe('once upon a time')
})

it('refuses to go on where nothing was begun', async () => {
  const { engine } = createHarness({ logits: says('once') })
  const asked = engine.chat.completions.create({
    messages: [user('tell')],
    minnow: { continueAnswer: true },
  })
  expect(await rejection(asked)).toMatchObject({ code: 'invalid-argument' })
})
