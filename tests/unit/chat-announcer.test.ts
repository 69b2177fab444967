import { expect, it } from 'vitest'
import { SentenceReader } from '../../src/widget/chat-announcer'

it('tells whole sentences as they come, without marks, and loses no word', () => {
  const text = 'The **first** one. A [second](https://example.org) one! `Third`?\n- a point\n- another'
  for (const step of [1, 3, 7, 1000]) {
    const reader = new SentenceReader()
    const said: string[] = []
    for (let at = 0; at < text.length; at += step) said.push(...reader.push(text.slice(at, at + step)))
    said.push(reader.flush())
    expect(said.join(' ')).toBe('The first one. A second one! Third? - a point - another')
    expect(said.length).toBeGreaterThan(3)
  }
})

it('says nothing where there is nothing', () => {
  const reader = new SentenceReader()
  expect(reader.push('')).toEqual([])
  expect(reader.flush()).toBe('')
})
