import type { Preset } from '../../src/widget/presets/preset'

export interface PresetResult {
  readonly preset: Preset
  /** What a score of it means. */
  readonly meaning: string
  readonly scored: readonly {
    readonly score: number
    readonly fault: string | null
    readonly answer: string
  }[]
}

/** From which mean score on a preset is offered as good, and as fair; below, with a warning. */
const LEVELS = [
  ['good', 0.8],
  ['fair', 0.6],
  ['better-with-bigger', 0],
] as const

export function meanScore({ scored }: PresetResult): number {
  return scored.reduce((sum, { score }) => sum + score, 0) / scored.length
}

/** What a preset with this mean score may call itself. */
export function levelOf(mean: number): Preset['level'] {
  return LEVELS.find(([, least]) => mean >= least)![0]
}

/** docs/presets.md, whole. */
export function presetsPage(
  results: readonly PresetResult[],
  model: { id: string; quantization: string },
): string {
  const rows = results.map((result) => {
    const { preset, scored, meaning } = result
    const wrong = scored.filter(({ fault }) => fault !== null).length
    const level = preset.level === 'better-with-bigger' ? 'better with a bigger model' : preset.level
    return `| ${preset.title.en} | ${scored.length} | **${meanScore(result).toFixed(2)}** | ${wrong} | ${meaning} | ${level} |`
  })
  return `# Presets

Jobs that the page offers a mini model for (\`src/widget/presets\`). Each is data: a form, an instruction with examples, sampling
and an output format with a check. Labels, JSON and SQL are checked before they are shown and asked for again where they
are wrong (three times at most); of texts, the check's finding stands below the answer.

## What the embedded model makes of them

${model.id} (${model.quantization}) over our own examples (\`eval/presets\`; none of them is an example in a prompt), first answers at
temperature 0, checked as the page checks them. An answer of a wrong form scores 0.

| preset | examples | score | wrong form | the score is | so the page calls it |
|---|---|---|---|---|---|
${rows.join('\n')}

From ${LEVELS[0][1]} on a preset is called good, from ${LEVELS[1][1]} fair, below "better with a bigger model": with a remote in the settings the same
prompts go to it by *Ask the bigger model*. \`npm run eval:presets\` makes this page, and fails where a preset calls itself
something else.

## What that means

- A model of 135 million parameters copies well and reasons badly. Where the answer stands in what it is given (summaries,
  notes to sentences, values out of a text) it is of use; a person should still read it.
- Scores of explanations and lessons count main points that were named. They do not see what was said wrongly beside them, and
  that happens often: check what matters.
- It cannot translate, and it cannot write queries: SQL of the right form names the wrong column or adds a condition that nobody
  asked for. Of the labels of tickets it gets less than half right. These are
  offered for the sake of a bigger model.
- Prompts were chosen on the same examples: even and odd ones scored alike, but on other people's texts expect less. All examples
  are in English; the page does not promise more for other languages.

## What was tried

| change | before | after |
|---|---|---|
| summaries: "one short sentence" and four examples, instead of "one or two sentences" and two | 0.25 | 0.67 |
| replies: the model writes the notes as sentences, the letter around them is fixed | 0.33 | 0.66 |
| rewriting: only examples of the wanted style, no penalty on repetition | 0.13 | 0.29 |
| triage: categories in the instruction, fifteen tickets as examples, instead of seven with the categories in each | 0.38 | 0.45 |
| triage: the likeliest first token of a label, corrected by its likelihood for an empty ticket, category only | 0.47 | 0.47 |
| SQL: ten examples instead of four, the schema without a title | 0.03 | 0.07 |

A penalty on repetition (1.05 and more) spoils everything that copies: the text to be copied counts as repeated. It stays for
explanations and lessons, which loop without it.
`
}
