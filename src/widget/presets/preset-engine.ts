import type { ChatCompletionParams, Engine } from '../../contract/engine'
import { chunkOf, createStreamEngine } from '../stream-engine'
import { checkAnswer, type CheckedAnswer } from './check-answer'
import { presetMessages, type Preset, type PresetValues } from './preset'

/** How often an answer of the wrong form is asked for. */
const ATTEMPTS = 3

/**
 * An engine that does a preset's job, whatever it is asked. Texts are streamed; what has a stricter form (labels, JSON, SQL) is
 * checked first, asked for again where it is wrong, and shown in one piece. The last chunk says how the check went, as
 * `minnow.preset`.
 */
export function createPresetEngine(inner: Engine, preset: Preset, values: PresetValues): Engine {
  const { format, sampling, id } = preset
  return createStreamEngine(inner, async function* (params, options) {
    const asked: ChatCompletionParams = { ...params, ...sampling, messages: presetMessages(preset, values) }
    if (format.type === 'text') {
      const { before = '', after = '' } = preset.frame ?? {}
      if (before !== '') yield chunkOf(inner.info.model, before)
      let answer = ''
      for await (const chunk of await inner.chat.completions.create({ ...asked, stream: true }, options)) {
        const event = chunk.minnow?.route?.type
        const isNew = event === 'upgrading' || event === 'restoring'
        if (isNew) answer = ''
        answer += chunk.choices[0]?.delta.content ?? ''
        if (!chunk.choices[0]?.finish_reason) {
          yield chunk
          if (isNew && before !== '') yield chunkOf(chunk.model, before, { id: chunk.id })
        } else {
          const { fault } = checkAnswer(format, answer, values)
          if (after !== '') yield chunkOf(chunk.model, after, { id: chunk.id })
          yield { ...chunk, minnow: { ...chunk.minnow, preset: { id, fault } } }
        }
      }
      return
    }
    let checked: CheckedAnswer | null = null
    for (let attempt = 0; attempt < ATTEMPTS && checked?.fault !== null; attempt++) {
      // The first try is the likeliest answer, the others are drawn.
      const variation = attempt === 0 ? {} : { temperature: 0.3 + 0.3 * attempt, seed: attempt }
      const { choices, ...answer } = await inner.chat.completions.create(
        { ...asked, ...variation, stream: false, stream_options: null },
        options,
      )
      const next = checkAnswer(format, choices[0]?.message.content ?? '', values)
      if (checked === null || next.fault === null) checked = next
      if (checked.fault === null || attempt === ATTEMPTS - 1) {
        const { route } = answer.minnow ?? {}
        yield {
          ...chunkOf(answer.model, inFence(format.type, checked.text), {
            id: answer.id,
            finish: 'stop',
            minnow: { preset: { id, fault: checked.fault }, ...(route === undefined ? {} : { route }) },
          }),
          ...(params.stream_options?.include_usage === true ? { usage: answer.usage } : {}),
        }
      }
    }
  })
}

/** As Markdown, which keeps its lines. */
function inFence(type: 'labels' | 'json' | 'sql', text: string): string {
  return type === 'labels' ? text.replaceAll('\n', '  \n') : `\`\`\`${type}\n${text}\n\`\`\``
}
