import type { RoutingMode } from '../contract/route'
import { parsePolicy, type PersonalDataPolicy, type Policy, type PolicyInput } from '../router/policy/schema'
import { createRemoteEngine } from '../router/providers/remote-engine'
import { problemOf, type ErrorWords } from './error-words'
import type { RemoteChoice } from './settings-store'
import { escalationStrings } from './strings/escalation'

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
export type DraftErrors = Partial<Record<DraftField, ErrorWords>>

/** As they are listed. */
export const MODES: readonly RoutingMode[] = [
  'only-on-device',
  'prefer-on-device',
  'prefer-in-cloud',
  'only-in-cloud',
]
export const PERSONAL_DATA: readonly PersonalDataPolicy['action'][] = [
  'redact',
  'force-local',
  'block',
  'allow',
]

/** The policy in the text, or what is wrong with it. */
export function readPolicy(text: string): { policy: Policy; input: PolicyInput } | { error: ErrorWords } {
  try {
    const policy = parsePolicy(text)
    return { policy, input: JSON.parse(text) as PolicyInput }
  } catch (error) {
    const { cause } = error as { cause?: unknown }
    const { noJson, badPolicy } = escalationStrings.of().settings
    const isJson = !(cause instanceof SyntaxError)
    return {
      error: { title: isJson ? badPolicy : noJson, detail: isJson ? problemOf(error) : cause.message },
    }
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
    if (model === '') errors.model = plain(escalationStrings.of().settings.modelMissing)
    const problem = addressProblem(baseUrl)
    if (problem !== null) errors.baseUrl = problem
  }
  if (Object.keys(errors).length > 0 || 'error' in policy) return { errors }
  return { policy: policy.input, remote: baseUrl === '' ? null : { baseUrl, model, price } }
}

const plain = (title: string): ErrorWords => ({ title, detail: '' })

function addressProblem(baseUrl: string): ErrorWords | null {
  const words = escalationStrings.of().settings
  if (!URL.canParse(baseUrl)) return plain(words.badAddress)
  const { searchParams, hash } = new URL(baseUrl)
  // The address is kept whether or not the key is to be, and gateways take keys under many names.
  if (hash !== '' || [...searchParams.keys()].some((name) => name !== 'api-version')) {
    return plain(words.keyInAddress)
  }
  try {
    // Whether a key follows or not: with one it has to be encrypted, and without one it should be.
    void createRemoteEngine({ baseUrl, model: 'm', apiKey: 'k' }).dispose()
    return null
  } catch (error) {
    return { title: words.unusableAddress, detail: problemOf(error) }
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
      errors[field] = plain(escalationStrings.of().settings.badPrice)
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
