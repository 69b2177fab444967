import type { Preset } from './preset'

const LABELS = 'billing, technical problem, account access, delivery, other'

export const TRIAGE: Preset = {
  id: 'triage',
  title: { en: 'Triage a ticket', de: 'Ticket einordnen' },
  hint: { en: 'Its category and how urgent it is', de: 'Kategorie und Dringlichkeit' },
  fields: [
    { name: 'text', kind: 'text', label: { en: 'Ticket', de: 'Ticket' } },
    {
      name: 'labels',
      kind: 'line',
      label: { en: 'Categories, with commas between', de: 'Kategorien, durch Kommas getrennt' },
      initial: LABELS,
    },
  ],
  instruction: 'You sort support tickets. The categories are: {labels}. The urgency is low, normal or high.',
  template: 'Ticket: {text}',
  examples: [
    {
      values: {
        text: 'My last invoice lists a fee I do not know. What is it for?',
        labels: LABELS,
      },
      answer: 'Category: billing\nUrgency: normal',
    },
    {
      values: {
        text: 'The website is down for all of us and we cannot take orders!',
        labels: LABELS,
      },
      answer: 'Category: technical problem\nUrgency: high',
    },
    {
      values: {
        text: 'I would like to know which colours you plan for next year.',
        labels: LABELS,
      },
      answer: 'Category: other\nUrgency: low',
    },
    {
      values: {
        text: 'The link to confirm my new login does not work.',
        labels: LABELS,
      },
      answer: 'Category: account access\nUrgency: normal',
    },
    {
      values: {
        text: 'My order came without the charger.',
        labels: LABELS,
      },
      answer: 'Category: delivery\nUrgency: normal',
    },
    {
      values: {
        text: 'A hacker is in my account right now, please block it at once!',
        labels: LABELS,
      },
      answer: 'Category: account access\nUrgency: high',
    },
    {
      values: {
        text: 'Could you make the buttons a little larger some day?',
        labels: LABELS,
      },
      answer: 'Category: technical problem\nUrgency: low',
    },
    {
      values: {
        text: 'You sent me a bill for something I never ordered.',
        labels: LABELS,
      },
      answer: 'Category: billing\nUrgency: normal',
    },
    {
      values: {
        text: 'Thank you for the friendly service in your shop.',
        labels: LABELS,
      },
      answer: 'Category: other\nUrgency: low',
    },
    {
      values: {
        text: 'The package was thrown over the fence and is damaged.',
        labels: LABELS,
      },
      answer: 'Category: delivery\nUrgency: normal',
    },
    {
      values: {
        text: 'You have taken all the money from my bank account. Act now!',
        labels: LABELS,
      },
      answer: 'Category: billing\nUrgency: high',
    },
    {
      values: {
        text: 'I cannot sign in because my phone number has changed.',
        labels: LABELS,
      },
      answer: 'Category: account access\nUrgency: normal',
    },
    {
      values: {
        text: 'The video stops after two seconds.',
        labels: LABELS,
      },
      answer: 'Category: technical problem\nUrgency: normal',
    },
    {
      values: {
        text: 'Who founded your company?',
        labels: LABELS,
      },
      answer: 'Category: other\nUrgency: low',
    },
    {
      values: {
        text: 'Our food delivery for 90 guests has not come and they are waiting!',
        labels: LABELS,
      },
      answer: 'Category: delivery\nUrgency: high',
    },
  ],
  sampling: { temperature: 0, max_tokens: 24 },
  format: {
    type: 'labels',
    lines: [
      { name: 'Category', labels: 'labels' },
      { name: 'Urgency', labels: ['low', 'normal', 'high'] },
    ],
  },
  level: 'better-with-bigger',
}

export const REPLY: Preset = {
  id: 'reply',
  title: { en: 'Reply for support', de: 'Antwort an Kunden' },
  hint: { en: 'A letter out of notes', de: 'Aus Stichworten ein Brief' },
  fields: [
    { name: 'text', kind: 'text', label: { en: 'What the customer wrote', de: 'Was der Kunde schrieb' } },
    { name: 'notes', kind: 'text', label: { en: 'What to answer', de: 'Was zu antworten ist' } },
  ],
  instruction: 'You answer customers. Write each of the notes as a friendly sentence, and nothing else.',
  template: 'Customer: {text}\nNotes: {notes}',
  examples: [
    {
      values: {
        text: 'My lamp arrived with a broken shade.',
        notes: 'sorry; new shade sent today; keep the old one',
      },
      answer:
        'We are sorry that your lamp arrived with a broken shade. A new shade was sent today. You can keep the old one.',
    },
    {
      values: {
        text: 'Can I pay by bank transfer?',
        notes: 'yes; account number is on the invoice; takes 2 days',
      },
      answer: 'Yes, you can pay by bank transfer. The account number is on the invoice. It takes 2 days.',
    },
    {
      values: { text: 'The tent leaks.', notes: 'send it back; refund of 80 euros; label attached' },
      answer: 'Please send the tent back. You will get a refund of 80 euros. The label is attached.',
    },
    {
      values: { text: 'When do you open on Sunday?', notes: 'closed on Sundays; Saturdays 9 to 17' },
      answer: 'We are closed on Sundays. On Saturdays we are open from 9 to 17.',
    },
    {
      values: { text: 'I cannot open the file.', notes: 'needs version 3; download it in the shop; free' },
      answer: 'The file needs version 3. You can download it in the shop. It is free.',
    },
  ],
  frame: { before: 'Hello,\n\n', after: '\n\nKind regards' },
  sampling: { temperature: 0, max_tokens: 120, stop: ['\n\n'] },
  format: { type: 'text', source: 'notes' },
  level: 'fair',
}
