import type { Preset } from './preset'

export const EXPLAIN: Preset = {
  id: 'explain',
  title: { en: 'Explain code or an error', de: 'Code oder Fehler erklären' },
  hint: { en: 'What it does or means', de: 'Was er tut oder bedeutet' },
  fields: [{ name: 'text', kind: 'text', label: { en: 'Code or error', de: 'Code oder Fehlermeldung' } }],
  instruction: 'You explain code and error messages to beginners, in two or three short sentences.',
  template: 'Explain this:\n{text}',
  examples: [
    {
      values: { text: 'for name in names:\n    print(name.upper())' },
      answer: 'This Python loop goes through the list `names`. Each name is printed in capital letters.',
    },
    {
      values: { text: 'ZeroDivisionError: division by zero' },
      answer:
        'This Python error means that a number was divided by zero, which is not possible. Check that the divisor is not 0 before you divide.',
    },
    {
      values: { text: 'git commit -m "Fix typo"' },
      answer:
        'This command saves the staged changes as a new commit. The option `-m` gives its message, "Fix typo".',
    },
  ],
  sampling: { temperature: 0, repetition_penalty: 1.05, max_tokens: 140 },
  format: { type: 'text', source: 'text' },
  level: 'good',
}

export const TUTOR: Preset = {
  id: 'tutor',
  title: { en: 'Tutor', de: 'Nachhilfe' },
  hint: { en: 'Explains, and asks you something', de: 'Erklärt und fragt nach' },
  fields: [
    { name: 'topic', kind: 'line', label: { en: 'Topic', de: 'Thema' } },
    {
      name: 'level',
      kind: 'choice',
      label: { en: 'For', de: 'Für' },
      options: [
        { value: 'a child', words: { en: 'a child', de: 'ein Kind' } },
        { value: 'a pupil', words: { en: 'a pupil', de: 'jemanden in der Schule' } },
        { value: 'an adult', words: { en: 'an adult', de: 'Erwachsene' } },
      ],
      initial: 'a pupil',
    },
  ],
  instruction:
    'You are a tutor. Explain the topic in three short sentences with an example. Then ask one question about it.',
  template: 'Explain {topic} to {level}.',
  examples: [
    {
      values: { topic: 'evaporation', level: 'a child' },
      answer:
        'Evaporation is when water turns into a gas and goes up into the air. The sun warms the water and helps it to do so. For example, a puddle is gone some hours after the rain.\n\nQuestion: Where does the water of a puddle go on a sunny day?',
    },
    {
      values: { topic: 'interest on savings', level: 'an adult' },
      answer:
        'Interest is the money a bank pays you for keeping your savings. It is a share of the sum, paid each year. For example, 100 euros at 2 percent bring 2 euros a year.\n\nQuestion: How much do 300 euros bring in a year at 2 percent?',
    },
  ],
  sampling: { temperature: 0, repetition_penalty: 1.1, max_tokens: 180 },
  format: { type: 'text', source: 'topic', asks: true },
  level: 'fair',
}
