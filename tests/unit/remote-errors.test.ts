import { describe, expect, it } from 'vitest'
import { Failures } from '../../src/router/providers/failure'
import { errorInAnswer, errorOfResponse, readRetryAfter } from '../../src/router/providers/response-error'
import { isOutage, isRetryable, retryDelay } from '../../src/router/providers/retry'
import { Secrets } from '../../src/router/providers/secrets'

const failures = new Failures('test', new Secrets())

function errorOf(status: number, body: unknown): ReturnType<typeof errorOfResponse> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return errorOfResponse(new Response('', { status }), text, failures)
}

describe('errors of providers', () => {
  it.for<[string, number, unknown, string, string]>([
    [
      'OpenAI: context',
      400,
      {
        error: {
          message: "This model's maximum context length is 8192 tokens.",
          type: 'invalid_request_error',
          param: 'messages',
          code: 'context_length_exceeded',
        },
      },
      'context-overflow',
      'maximum context length is 8192',
    ],
    [
      'OpenAI: quota',
      429,
      {
        error: {
          message: 'You exceeded your current quota',
          type: 'insufficient_quota',
          code: 'insufficient_quota',
        },
      },
      'quota-exceeded',
      'You exceeded',
    ],
    [
      'OpenAI: rate',
      429,
      {
        error: { message: 'Rate limit reached for requests', type: 'requests', code: 'rate_limit_exceeded' },
      },
      'rate-limited',
      'Rate limit',
    ],
    [
      'Azure: filter',
      400,
      {
        error: {
          message: 'The response was filtered',
          code: 'content_filter',
          innererror: { code: 'ResponsibleAIPolicyViolation' },
        },
      },
      'content-policy',
      'was filtered',
    ],
    [
      'OpenRouter: moderation',
      403,
      {
        error: {
          code: 403,
          message: 'Your chosen model requires moderation',
          metadata: { reasons: ['violence'], flagged_input: 'x', provider_name: 'p' },
        },
      },
      'content-policy',
      'requires moderation',
    ],
    [
      'OpenRouter: credits',
      402,
      { error: { code: 402, message: 'Insufficient credits' } },
      'quota-exceeded',
      'Insufficient credits',
    ],
    [
      'OpenRouter: provider',
      502,
      { error: { code: 502, message: 'Provider returned error', metadata: { raw: 'overloaded' } } },
      'unavailable',
      'Provider returned error – overloaded',
    ],
    [
      'llama.cpp: context',
      400,
      {
        error: {
          code: 400,
          message: 'the request exceeds the available context size',
          type: 'exceed_context_size_error',
          n_prompt_tokens: 9000,
          n_ctx: 4096,
        },
      },
      'context-overflow',
      'available context size',
    ],
    [
      'llama.cpp: loading',
      503,
      { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } },
      'unavailable',
      'Loading model',
    ],
    ['Ollama: model', 404, { error: "model 'x' not found" }, 'unavailable', "model 'x' not found"],
    [
      'Ollama: /v1',
      400,
      { error: { message: 'bad option', type: 'invalid_request_error' } },
      'invalid-argument',
      'bad option',
    ],
    [
      'vLLM, older',
      400,
      {
        object: 'error',
        message: 'This model has a maximum context length of 10 tokens',
        type: 'BadRequestError',
        code: 400,
      },
      'context-overflow',
      'maximum context length',
    ],
    ['FastAPI', 422, { detail: 'field required' }, 'invalid-argument', 'field required'],
    ['a list', 500, '[1]', 'unavailable', '[1]'],
    ['a page', 503, '<html><head><title>Down</title></head></html>', 'unavailable', 'Down'],
    ['nothing', 500, '', 'unavailable', 'status 500'],
    [
      'another key',
      401,
      { error: { message: 'bad key sk-proj-abcdefghijklmnop' } },
      'unauthorized',
      'bad key [key]',
    ],
  ])('%s', ([, status, body, code, message]) => {
    const error = errorOf(status, body)
    expect(error).toMatchObject({ code, details: { remote: 'test', status } })
    expect(error.message).toContain(message)
  })

  it('in an answer count with the status they name', () => {
    expect(errorInAnswer({ error: { code: 429, message: 'slow down' } }, failures)).toMatchObject({
      code: 'rate-limited',
      details: { status: 429 },
    })
    expect(errorInAnswer({ error: 'gone' }, failures)).toMatchObject({ code: 'unavailable' })
    expect(errorInAnswer({ error: null, choices: [] }, failures)).toBeUndefined()
  })

  it('quote no more than a few words', () => {
    expect(errorOf(400, { error: { message: 'x '.repeat(10_000) } }).message.length).toBeLessThan(500)
  })
})

describe('retry-after', () => {
  const now = Date.parse('Tue, 06 Jan 2026 10:00:00 GMT')
  it.for<[Record<string, string>, number | null]>([
    [{ 'retry-after': '3' }, 3000],
    [{ 'retry-after': ' 1.5 ' }, 1500],
    [{ 'retry-after': 'Tue, 06 Jan 2026 10:00:07 GMT' }, 7000],
    [{ 'retry-after': 'Tuesday, 06-Jan-26 10:00:07 GMT' }, 7000],
    [{ 'retry-after': 'Tue, 06 Jan 2026 09:00:00 GMT' }, 0],
    [{ 'retry-after-ms': '20', 'retry-after': '3' }, 20],
    [{ 'retry-after': '-5' }, null],
    [{ 'retry-after': 'soon' }, null],
    [{ 'retry-after': '7 apples' }, null],
    [{ 'retry-after': '9'.repeat(400) }, null],
    [{}, null],
  ])('%j is %s ms', ([headers, expected]) => {
    expect(readRetryAfter(new Headers(headers), now)).toBe(expected)
  })
})

describe('the wait before a retry', () => {
  const retry = { retries: 3, baseMs: 100, maxMs: 250, maxRetryAfterMs: 1000 }
  const busy = failures.make('unavailable', 'is busy.', { status: 503 })

  it('is random between 0 and a doubling bound', () => {
    expect([1, 2, 3].map((n) => retryDelay(busy, n, retry, () => 1))).toEqual([100, 200, 250])
    expect(retryDelay(busy, 2, retry, () => 0)).toBe(0)
    expect(retryDelay(busy, 2, retry, () => 0.5)).toBe(100)
    expect(retryDelay(busy, 4, retry)).toBeNull()
  })

  it('is added to what the provider asks for, or not taken', () => {
    const limited = failures.make('rate-limited', 'is busy.', { status: 429, retryAfterMs: 900 })
    expect(retryDelay(limited, 1, retry, () => 0.5)).toBe(950)
    const longer = failures.make('rate-limited', 'is busy.', { status: 429, retryAfterMs: 1001 })
    expect(retryDelay(longer, 1, retry)).toBeNull()
  })

  it('is never taken for what does not pass', () => {
    for (const code of ['unauthorized', 'invalid-argument', 'context-overflow', 'content-policy'] as const) {
      expect(isRetryable(failures.make(code, 'no.', { status: 400 }))).toBe(false)
    }
    expect(isRetryable(new Error('bug'))).toBe(false)
    expect(isOutage(busy)).toBe(true)
    expect(isOutage(failures.make('rate-limited', 'no.'))).toBe(false)
  })
})

describe('secrets', () => {
  it('are taken out in every form, the longest first', () => {
    const secrets = new Secrets()
    secrets.add('key/with"signs+')
    secrets.add('key/with')
    secrets.add('abc')
    const forms = [
      'key/with"signs+',
      'key/with\\"signs+',
      encodeURIComponent('key/with"signs+'),
      btoa('key/with"signs+'),
    ]
    expect(secrets.scrub(forms.join(' '))).toBe('[key] [key] [key] [key]')
    expect(secrets.scrub('abc')).toBe('abc')
  })

  it('are told from honest text in answers', () => {
    const secrets = new Secrets()
    secrets.add('0123456789abcdef')
    secrets.add('2026-01-01-preview', { inAnswers: false })
    secrets.add('not-needed')
    const text = '0123456789abcdef of 2026-01-01-preview, not-needed, sk-0123456789abcdefg'
    expect(secrets.scrubAnswer(text)).toBe('[key] of 2026-01-01-preview, not-needed, sk-[key]g')
    expect(['', 'x01', 'x012345', '01a'].map((end) => secrets.openEnd(end))).toEqual([0, 2, 6, 0])
  })

  it('are known by their looks as well', () => {
    const text = new Secrets().scrub(
      'Bearer abc.def-1, gsk_abcdefghijklmnop and AIzaSyA-bcdefghijklmnopqrstu; monkey-puzzle',
    )
    expect(text).toBe('[key], [key] and [key]; monkey-puzzle')
  })
})
