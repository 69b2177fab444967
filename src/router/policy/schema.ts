import * as z from 'zod/mini'
import { _default as defaulted } from 'zod/mini'
import { EngineError } from '../../contract/error'

const share = z.number().check(z.minimum(0), z.maximum(1))
const dollars = z.number().check(z.minimum(0))
const count = z.int().check(z.minimum(0))
const label = z.string().check(z.minLength(1), z.maxLength(100))
/** 'HH:MM', 24 hours. */
const clock = z.string().check(z.regex(/^([01]\d|2[0-3]):[0-5]\d$/))
const modeSchema = z.enum(['only-on-device', 'prefer-on-device', 'prefer-in-cloud', 'only-in-cloud'])

/** What must be known of an answer to be accepted: a calibrated confidence, or what a calibration is to guarantee. */
const acceptSchema = z.union([
  share,
  z.strictObject({ kind: z.literal('risk'), most: share }),
  z.strictObject({
    kind: z.literal('selective-risk'),
    most: share,
    /** Chance of a miss. Default 0.05. */
    failure: z.optional(z.number().check(z.gt(0), z.lt(1))),
  }),
  z.strictObject({ kind: z.literal('escalated'), most: share }),
  z.strictObject({ kind: z.literal('cost'), most: dollars, perQuestion: dollars }),
])

const personalDataSchema = z.strictObject({
  /** 'redact': placeholders leave instead. 'force-local': such a request stays here. 'block': it is refused. 'allow': it leaves as it is. */
  action: z.enum(['redact', 'force-local', 'block', 'allow']),
  /** 'standard': formats, checksums and names said to be names. 'strict': also whatever may be a name or a number of someone. */
  level: z.enum(['standard', 'strict']),
})

/** What a rule or an experiment's arm may set. */
const settingShapes = {
  mode: z.optional(modeSchema),
  accept: z.optional(acceptSchema),
  /** An answer at least this sure, but not accepted, is judged by the remote with one token first. null: never. */
  verifyFrom: z.optional(z.nullable(share)),
  /** When a person is to look: never, when nothing confirmed a doubtful answer, or always. */
  human: z.optional(z.enum(['never', 'unresolved', 'always'])),
  /** US dollars a request. */
  maxCostUsd: z.optional(dollars),
  maxLatencyMs: z.optional(count),
  personalData: z.optional(personalDataSchema),
}

const ruleSchema = z.strictObject({
  id: label,
  /** All that is stated must hold; lists hold where one of theirs does. */
  when: z.strictObject({
    tasks: z.optional(z.array(label)),
    complexity: z.optional(z.array(z.enum(['low', 'medium', 'high']))),
    languages: z.optional(z.array(label)),
    modalities: z.optional(z.array(z.enum(['text', 'image', 'audio']))),
    /** Of the prompt, in tokens. */
    contextAtLeast: z.optional(count),
    contextAtMost: z.optional(count),
    /** Of what the request requires; requests that say nothing do not match. */
    requiredAccuracyAtLeast: z.optional(share),
    maxCostUsdAtMost: z.optional(dollars),
    maxLatencyMsAtMost: z.optional(count),
    /** Local time of the device; may pass midnight. `to` is excluded. */
    hours: z.optional(z.strictObject({ from: clock, to: clock })),
  }),
  set: z.strictObject(settingShapes),
})

const policySchema = z.strictObject({
  schemaVersion: defaulted(z.literal(1), 1),
  /** Rules and experiments may set another, but for 'only-on-device': then nothing leaves. */
  mode: defaulted(modeSchema, 'prefer-on-device'),
  accept: defaulted(acceptSchema, { kind: 'risk', most: 0.1 }),
  verifyFrom: defaulted(z.nullable(share), null),
  human: defaulted(z.enum(['never', 'unresolved', 'always']), 'never'),
  maxCostUsd: settingShapes.maxCostUsd,
  maxLatencyMs: settingShapes.maxLatencyMs,
  personalData: defaulted(personalDataSchema, { action: 'redact', level: 'standard' }),
  /** Tokens of the local answer that are not shown before the decision on them. 0 shows all at once. */
  holdBackTokens: defaulted(z.int().check(z.minimum(0), z.maximum(64)), 16),
  /** US dollars. `day` is of all users of this device together; days begin at local midnight. */
  budget: defaulted(
    z.strictObject({
      dayUsd: z.optional(dollars),
      userDayUsd: z.optional(dollars),
      requestUsd: z.optional(dollars),
    }),
    {},
  ),
  /** Exact cache of remote answers; null: none. */
  cache: defaulted(z.nullable(z.strictObject({ lifetimeMs: count })), null),
  /** The first rule that matches and states a setting decides it. */
  rules: defaulted(z.array(ruleSchema), []),
  /** A/B splits: `share` of users get `set`, always the same ones. Rules go before experiments. */
  experiments: defaulted(
    z.array(z.strictObject({ id: label, share, set: z.strictObject(settingShapes) })),
    [],
  ),
  /** This share of locally answered requests is asked of the remote as well, unseen, to compare. null: none. */
  shadow: defaulted(z.nullable(z.strictObject({ share })), null),
})

/** A policy, whole. */
export type Policy = Readonly<z.infer<typeof policySchema>>
/** A policy as people write it: what is left out has its default. */
export type PolicyInput = z.input<typeof policySchema>
export type PolicyRule = z.infer<typeof ruleSchema>
export type PersonalDataPolicy = z.infer<typeof personalDataSchema>
export type AcceptRule = z.infer<typeof acceptSchema>

/**
 * Checks a policy, given as a value or as the text of its JSON, and fills in what it leaves out.
 * @throws EngineError 'invalid-argument' naming the first field that is wrong. Unknown fields are wrong: a misspelt
 * restriction must not pass for none.
 */
export function parsePolicy(input: unknown = {}): Policy {
  let value = input
  if (typeof input === 'string') {
    try {
      value = JSON.parse(input)
    } catch (cause) {
      throw new EngineError('invalid-argument', 'The policy is no JSON. Mend it or leave it out.', { cause })
    }
  }
  const result = policySchema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys : []
  const field = [...(issue?.path ?? []), ...unknown.slice(0, 1)].join('.') || 'the policy'
  throw new EngineError(
    'invalid-argument',
    `The policy is not valid: ${field} ${unknown.length > 0 ? 'is no field' : 'has a wrong value'}. See docs/escalation.md for its fields.`,
    { details: { field } },
  )
}
