import { html, type TemplateResult } from 'lit'
import { live } from 'lit/directives/live.js'
import type { Policy, PolicyInput } from '../router/policy/schema'
import { PERSONAL_DATA } from './settings-form'
import { escalationStrings } from './strings/escalation'

/** Changes one setting within the policy. */
export type ChangePolicy = (change: (policy: PolicyInput) => PolicyInput) => void

/** How many answers may be wrong, and what may be spent. @param calibrate opens what makes the percentages true */
export function limitsSection(
  { accept, budget }: Policy,
  change: ChangePolicy,
  calibrate: () => void,
): TemplateResult {
  const words = escalationStrings.of().settings
  const risk = typeof accept !== 'number' && accept.kind.endsWith('risk') ? accept : null
  return html`<section aria-labelledby="limits-title">
    <h3 id="limits-title">${words.limits}</h3>
    <div class="pair">
      <div class="field">
        <label for="risk">${words.risk}</label>
        <input
          id="risk"
          class="short"
          type="number"
          min="0"
          max="100"
          step="any"
          ?disabled=${risk === null}
          .value=${live(risk === null ? '' : String(Math.round(risk.most * 1e4) / 100))}
          aria-describedby="risk-words"
          @change=${(event: Event) => setRisk(event.target as HTMLInputElement, change)}
        />
        <small id="risk-words">
          ${
            risk === null
              ? words.riskElsewhere
              : risk.kind === 'risk'
                ? words.riskOfAll
                : words.riskOfAnswered
          }
        </small>
      </div>
      <div class="field">
        <label for="budget">${words.budget}</label>
        <input
          id="budget"
          class="short"
          type="number"
          min="0"
          step="any"
          .value=${live(budget.dayUsd?.toString() ?? '')}
          aria-describedby="budget-words"
          @change=${(event: Event) => setBudget(event.target as HTMLInputElement, change)}
        />
        <small id="budget-words">${words.budgetWords}</small>
      </div>
    </div>
    <div>
      <button class="plain" type="button" @click=${calibrate}>
        ${escalationStrings.of().calibration.open}
      </button>
    </div>
  </section>`
}

function setRisk({ value, valueAsNumber }: HTMLInputElement, change: ChangePolicy): void {
  const most = value === '' ? 0.1 : Math.min(100, Math.max(0, valueAsNumber)) / 100
  change((policy) => {
    const { accept } = policy
    const isSelective = typeof accept === 'object' && accept.kind === 'selective-risk'
    return { ...policy, accept: isSelective ? { ...accept, most } : { kind: 'risk', most } }
  })
}

function setBudget({ value, valueAsNumber }: HTMLInputElement, change: ChangePolicy): void {
  change(({ budget = {}, ...policy }) => {
    const { dayUsd: _old, ...others } = budget
    return { ...policy, budget: value === '' ? others : { ...others, dayUsd: Math.max(0, valueAsNumber) } }
  })
}

/** What becomes of personal data in what is sent. */
export function personalDataSection({ personalData }: Policy, change: ChangePolicy): TemplateResult {
  const words = escalationStrings.of().settings
  return html`<section aria-labelledby="personal-title">
    <h3 id="personal-title">${words.personal}</h3>
    <div class="field">
      <label for="personal">${words.personalLabel}</label>
      <select
        id="personal"
        @change=${(event: Event) => {
          const action = PERSONAL_DATA[(event.target as HTMLSelectElement).selectedIndex]
          if (action === undefined) return
          change((policy) => ({ ...policy, personalData: { ...personalData, action } }))
        }}
      >
        ${PERSONAL_DATA.map(
          (action) =>
            html`<option .selected=${live(personalData.action === action)}>
              ${words.personalActions[action]}
            </option>`,
        )}
      </select>
    </div>
    <label class="choice">
      <input
        type="checkbox"
        .checked=${live(personalData.level === 'strict')}
        @change=${(event: Event) => {
          const level = (event.target as HTMLInputElement).checked ? 'strict' : 'standard'
          change((policy) => ({ ...policy, personalData: { ...personalData, level } }))
        }}
      />
      <span>${words.strict}</span>
      <small>${words.strictWords}</small>
    </label>
  </section>`
}
