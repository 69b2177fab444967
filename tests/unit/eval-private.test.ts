import { expect, test } from 'vitest'
import { sendPrivateItems } from '../../eval/private-items'

test('through routers of which most can send, nothing labelled private leaves', async () => {
  const { items, routers, sent, routersThatSend } = await sendPrivateItems([
    'I am ana.example@example.org',
    'Is it 12?',
  ])
  expect([items, sent]).toEqual([2, 0])
  // All but those whose scan or consent always fails, and a few that are content with the local answer.
  expect(routersThatSend).toBeGreaterThan(0.8 * routers)
  expect(routersThatSend).toBeLessThanOrEqual(routers - 6)
})
