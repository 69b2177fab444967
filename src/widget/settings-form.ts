import { isEngineError } from '../contract/error'
import type { RoutingMode } from '../contract/route'
import { parsePolicy, type PersonalDataPolicy, type Policy, type PolicyInput } from '../router/policy/schema'
import { createRemoteEngine } from '../router/providers/remote-engine'
import { problemOf } from './error-words'
import type { RemoteChoice } from './settings-store'

/** What the form of the settings holds, as text where people type. */
export interface SettingsDraft {
  readonly policyText: string
  readonly baseUrl: string
  readonly model: string
  readonly inputPrice: string
  readonly outputPrice: string
}

export type DraftField = keyof SettingsDraft

/** What is wrong, by field. */
export type DraftErrors = Partial<Record<DraftField, string>>

export const MODES: readonly { mode: RoutingMode; label: string; words: string }[] = [
  {
    mode: 'only-on-device',
    label: 'Only on this device',
    words: 'Nothing you write ever leaves it.',
  },
  {
    mode: 'prefer-on-device',
    label: 'This device first',
    words: 'A bigger model is asked when an answer looks doubtful, or when you ask for it.',
  },
  {
    mode: 'prefer-in-cloud',
    label: 'The bigger model first',
    words: 'This device answers when the bigger model cannot.',
  },
  {
    mode: 'only-in-cloud',
    label: 'Only the bigger model',
    words: 'This device never answers.',
  },
]

export const PERSONAL_DATA: readonly { action: PersonalDataPolicy['action']; label: string }[] = [
  { action: 'redact', label: 'Replace it before sending' },
  { action: 'force-local', label: 'Keep such questions on this device' },
  { action: 'block', label: 'Refuse such questions' },
  { action: 'allow', label: 'Send it as it is' },
]

/** The policy in the text, or what is wrong with it. */
export function readPolicy(text: string): { policy: Policy; input: PolicyInput } | { error: string } {
  try {
    const policy = parsePolicy(text)
    return { policy, input: JSON.parse(text) as PolicyInput }
  } catch (error) {
    const { cause } = error as { cause?: unknown }
    return { error: cause instanceof SyntaxError ? `This is no JSON: ${cause.message}` : problemOf(error) }
  }
}

export function writePolicy(policy: PolicyInput): string {
  return JSON.stringify(policy, null, 2)
}

/** Checks what was typed. `remote` is null where no bigger model is wanted. */
export function readDraft(
  draft: SettingsDraft,
  today: string,
): { errors: DraftErrors } | { policy: PolicyInput; remote: Omit<RemoteChoice, 'needsKey'> | null } {
  const errors: DraftErrors = {}
  const policy = readPolicy(draft.policyText)
  if ('error' in policy) errors.policyText = policy.error
  const baseUrl = draft.baseUrl.trim()
  const model = draft.model.trim()
  const price = readPrice(draft, today, errors)
  if (baseUrl !== '' || model !== '') {
    if (model === '') errors.model = 'Give the name of the model, as its provider spells it.'
    const problem = addressProblem(baseUrl)
    if (problem !== null) errors.baseUrl = problem
  }
  if (Object.keys(errors).length > 0 || 'error' in policy) return { errors }
  return { policy: policy.input, remote: baseUrl === '' ? null : { baseUrl, model, price } }
}

function addressProblem(baseUrl: string): string | null {
  if (!URL.canParse(baseUrl)) return 'Give an address that begins with https://'
  const { searchParams, hash } = new URL(baseUrl)
  // The address is kept whether or not the key is to be, and gateways take keys under many names.
  if (hash !== '' || [...searchParams.keys()].some((name) => name !== 'api-version')) {
    return 'An address is kept, and a key in it would be, too: leave out all after ? and #, and give the key below.'
  }
  try {
    // Whether a key follows or not: with one it has to be encrypted, and without one it should be.
    void createRemoteEngine({ baseUrl, model: 'm', apiKey: 'k' }).dispose()
    return null
  } catch (error) {
    return isEngineError(error) ? problemOf(error) : 'This address cannot be used.'
  }
}

function readPrice(
  { inputPrice, outputPrice }: SettingsDraft,
  today: string,
  errors: DraftErrors,
): RemoteChoice['price'] {
  if (inputPrice.trim() === '' && outputPrice.trim() === '') return null
  const read = (field: 'inputPrice' | 'outputPrice', text: string): number => {
    const value = text.trim() === '' ? NaN : Number(text)
    if (!(value >= 0) || value === Infinity) {
      errors[field] = 'Give US dollars a million tokens, 0 where it costs nothing, or leave both empty.'
    }
    return value
  }
  return {
    inputPerMillion: read('inputPrice', inputPrice),
    outputPerMillion: read('outputPrice', outputPrice),
    date: today,
  }
}

/** Whether two addresses belong to one server: only then may a key that was given for one go to the other. */
export function isSameOrigin(a: string, b: string): boolean {
  return URL.canParse(a) && URL.canParse(b) && new URL(a).origin === new URL(b).origin
}
