import type { Preset } from './preset'

const TEXT = { name: 'text', kind: 'text', label: { en: 'Text', de: 'Text' } } as const

export const SUMMARISE: Preset = {
  id: 'summarise',
  title: { en: 'Summarise', de: 'Zusammenfassen' },
  hint: { en: 'A text in a sentence', de: 'Ein Text in einem Satz' },
  fields: [TEXT],
  instruction: 'You sum up texts in one short sentence of at most fifteen words.',
  template: 'Text: {text}\nIn one short sentence:',
  examples: [
    {
      values: {
        text:
          'The town of Elmsworth will close its old bridge from March to June. Rust was found in two of the pillars, ' +
          'and repairs cost about 300,000 pounds. Buses will take the road through Denby, which adds ten minutes.',
      },
      answer: 'The bridge in Elmsworth is closed from March to June for repairs.',
    },
    {
      values: {
        text:
          'Hi all, as the kitchen floor is being painted, please use the one on the second floor this week. The painters ' +
          'leave on Friday. Thanks for your patience, Mara',
      },
      answer: 'Please use the second-floor kitchen this week.',
    },
    {
      values: {
        text:
          'Doctors in Turin asked 900 people how well they sleep. Those who read a book in bed slept half an hour longer ' +
          'than those who looked at a screen. The doctors advise to leave the phone in another room.',
      },
      answer: 'A study found that people who read books in bed sleep longer.',
    },
    {
      values: {
        text:
          'Our bakery has a new owner. Paul Ferris, who learned his trade in Lyon, takes over on 1 May. Opening hours stay ' +
          'the same, but there will be French bread on Saturdays.',
      },
      answer: 'Paul Ferris takes over the bakery on 1 May.',
    },
  ],
  sampling: { temperature: 0, max_tokens: 60, stop: ['\n'] },
  format: { type: 'text', source: 'text', keepsNumbers: true, mostShare: 0.8, differs: true },
  level: 'fair',
}

export const REWRITE: Preset = {
  id: 'rewrite',
  title: { en: 'Rewrite', de: 'Umschreiben' },
  hint: { en: 'The same, said another way', de: 'Dasselbe, anders gesagt' },
  fields: [
    TEXT,
    {
      name: 'style',
      kind: 'choice',
      label: { en: 'How', de: 'Wie' },
      options: [
        { value: 'more polite', words: { en: 'More polite', de: 'Höflicher' } },
        { value: 'shorter', words: { en: 'Shorter', de: 'Kürzer' } },
        { value: 'simpler', words: { en: 'Simpler', de: 'Einfacher' } },
        { value: 'more formal', words: { en: 'More formal', de: 'Förmlicher' } },
      ],
      initial: 'more polite',
    },
  ],
  instruction:
    'You rewrite texts. Keep the meaning, the names and the numbers. Answer with the new text only.',
  template: 'Make this {style}: {text}',
  examples: [
    {
      values: { style: 'more polite', text: 'Send me the file now.' },
      answer: 'Could you please send me the file?',
    },
    {
      values: { style: 'more polite', text: 'You are late.' },
      answer: 'It seems that you are a little late.',
    },
    {
      values: { style: 'more polite', text: 'Turn off the light in room 4.' },
      answer: 'Would you please turn off the light in room 4?',
    },
    {
      values: { style: 'more polite', text: 'Tell me your address by Tuesday.' },
      answer: 'Could you please tell me your address by Tuesday?',
    },
    {
      values: { style: 'more polite', text: "I don't want coffee." },
      answer: 'No coffee for me, thank you.',
    },
    {
      values: {
        style: 'shorter',
        text: 'I am writing to you because I would like to let you know that the talk on 3 May has been moved to room 8.',
      },
      answer: 'The talk on 3 May is now in room 8.',
    },
    {
      values: {
        style: 'shorter',
        text: 'It has come to our attention that a number of lamps in the garden are no longer working.',
      },
      answer: 'Some garden lamps are broken.',
    },
    {
      values: {
        style: 'shorter',
        text: 'Would it perhaps be possible for you to bring the ladder with you when you come on Saturday?',
      },
      answer: 'Please bring the ladder on Saturday.',
    },
    {
      values: {
        style: 'shorter',
        text: 'Owing to the fact that the road is blocked by snow, the bus will unfortunately not be able to come today.',
      },
      answer: 'The bus cannot come today because of snow.',
    },
    {
      values: {
        style: 'simpler',
        text: 'Kindly refrain from utilising the elevator in the event of a fire.',
      },
      answer: 'Please do not use the lift if there is a fire.',
    },
    {
      values: {
        style: 'simpler',
        text: 'Commence the procedure subsequent to the arrival of the physician.',
      },
      answer: 'Start after the doctor comes.',
    },
    {
      values: { style: 'simpler', text: 'Residents are required to dispose of refuse on a weekly basis.' },
      answer: 'People must take out their rubbish every week.',
    },
    {
      values: { style: 'simpler', text: 'The proprietor has terminated the agreement.' },
      answer: 'The owner has ended the contract.',
    },
    {
      values: { style: 'more formal', text: "Hey, can't make it tomorrow, sorry!" },
      answer: 'Unfortunately, I am unable to attend tomorrow.',
    },
    {
      values: { style: 'more formal', text: 'Thanks for the help, Ben!' },
      answer: 'Dear Ben, thank you very much for your help.',
    },
    {
      values: { style: 'more formal', text: "We're out of paper, get some by Friday." },
      answer: 'We have no more paper. Please order some by Friday.',
    },
    {
      values: { style: 'more formal', text: "What's the price for two?" },
      answer: 'Could you please tell me the price for two people?',
    },
    {
      values: { style: 'more formal', text: "It's broken, I want my money back." },
      answer: 'The product is defective, and I would like to request a refund.',
    },
  ],
  examplesBy: 'style',
  sampling: { temperature: 0, max_tokens: 160, stop: ['\n\n'] },
  format: { type: 'text', source: 'text', keepsNumbers: true, mostShare: 2.5, differs: true },
  level: 'better-with-bigger',
}

export const TRANSLATE: Preset = {
  id: 'translate',
  title: { en: 'Translate', de: 'Übersetzen' },
  hint: { en: 'From English into another language', de: 'Aus dem Englischen in eine andere Sprache' },
  fields: [
    TEXT,
    {
      name: 'language',
      kind: 'choice',
      label: { en: 'Into', de: 'In welche Sprache' },
      options: [
        { value: 'French', words: { en: 'French', de: 'Französisch' } },
        { value: 'Spanish', words: { en: 'Spanish', de: 'Spanisch' } },
        { value: 'German', words: { en: 'German', de: 'Deutsch' } },
      ],
      initial: 'French',
    },
  ],
  instruction: 'You translate English texts. Answer with the translation only.',
  template: 'English: {text}\n{language}:',
  examples: [
    {
      values: { language: 'French', text: 'The shop is closed today.' },
      answer: "Le magasin est fermé aujourd'hui.",
    },
    { values: { language: 'French', text: 'My brother drinks coffee.' }, answer: 'Mon frère boit du café.' },
    { values: { language: 'French', text: 'Where do you live?' }, answer: 'Où habitez-vous ?' },
    {
      values: { language: 'French', text: 'The book is on the table.' },
      answer: 'Le livre est sur la table.',
    },
    { values: { language: 'French', text: 'I am hungry.' }, answer: "J'ai faim." },
    { values: { language: 'Spanish', text: 'Where is the station?' }, answer: '¿Dónde está la estación?' },
    { values: { language: 'Spanish', text: 'My brother drinks coffee.' }, answer: 'Mi hermano bebe café.' },
    {
      values: { language: 'Spanish', text: 'The book is on the table.' },
      answer: 'El libro está en la mesa.',
    },
    { values: { language: 'Spanish', text: 'I am hungry.' }, answer: 'Tengo hambre.' },
    {
      values: { language: 'Spanish', text: 'The shop is closed today.' },
      answer: 'La tienda está cerrada hoy.',
    },
    {
      values: { language: 'German', text: 'My brother drinks coffee.' },
      answer: 'Mein Bruder trinkt Kaffee.',
    },
    { values: { language: 'German', text: 'Where is the station?' }, answer: 'Wo ist der Bahnhof?' },
    {
      values: { language: 'German', text: 'The book is on the table.' },
      answer: 'Das Buch liegt auf dem Tisch.',
    },
    { values: { language: 'German', text: 'I am hungry.' }, answer: 'Ich habe Hunger.' },
    {
      values: { language: 'German', text: 'The shop is closed today.' },
      answer: 'Das Geschäft ist heute geschlossen.',
    },
  ],
  examplesBy: 'language',
  sampling: { temperature: 0, max_tokens: 160, stop: ['\n\n'] },
  format: { type: 'text', source: 'text', keepsNumbers: true, mostShare: 2.5, differs: true },
  level: 'better-with-bigger',
}
