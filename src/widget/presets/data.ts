import type { Preset } from './preset'

export const EXTRACT: Preset = {
  id: 'extract',
  title: { en: 'Extract data', de: 'Daten herausziehen' },
  hint: { en: 'Values out of a text, as JSON', de: 'Werte aus einem Text, als JSON' },
  fields: [
    { name: 'text', kind: 'text', label: { en: 'Text', de: 'Text' } },
    {
      name: 'keys',
      kind: 'line',
      label: { en: 'What to find, with commas between', de: 'Gesuchtes, durch Kommas getrennt' },
      initial: 'name, date, amount',
    },
  ],
  instruction:
    'You copy values out of texts and answer with one JSON object. Use null for what the text does not say.',
  template: 'Text: {text}\nKeys: {keys}',
  examples: [
    {
      values: { text: 'Invoice 881 of 2 May: Anna Kowalski owes 75 euros.', keys: 'name, date, amount' },
      answer: '{"name": "Anna Kowalski", "date": "2 May", "amount": "75 euros"}',
    },
    {
      values: {
        text: 'Two green chairs from the shop in Lille, reference Q-40.',
        keys: 'item, colour, city, price',
      },
      answer: '{"item": "chairs", "colour": "green", "city": "Lille", "price": null}',
    },
    {
      values: { text: 'Bus 12 to the harbour leaves at 07:15 from stop C.', keys: 'bus, to, time' },
      answer: '{"bus": "12", "to": "the harbour", "time": "07:15"}',
    },
  ],
  sampling: { temperature: 0, max_tokens: 160, stop: ['}\n'] },
  format: { type: 'json', keys: 'keys', source: 'text' },
  level: 'better-with-bigger',
}

export const SQL: Preset = {
  id: 'sql',
  title: { en: 'Question to SQL', de: 'Frage zu SQL' },
  hint: { en: 'A query over your tables', de: 'Eine Abfrage über deine Tabellen' },
  fields: [
    {
      name: 'schema',
      kind: 'text',
      label: { en: 'Tables, one a line', de: 'Tabellen, je Zeile eine' },
      initial: 'customers(id, name, city)\norders(id, customer_id, product, price)',
    },
    { name: 'question', kind: 'line', label: { en: 'Question', de: 'Frage' } },
  ],
  instruction: 'You write one SQL query that answers the question. Use only the given tables and columns.',
  template: '{schema}\nQuestion: {question}\nSQL:',
  examples: [
    {
      values: { schema: 'films(id, title, director, year, minutes)', question: 'How many films are there?' },
      answer: 'SELECT COUNT(*) FROM films;',
    },
    {
      values: {
        schema: 'clubs(id, name, town)\nmembers(id, club_id, name, born)',
        question: 'How many members were born after 1990?',
      },
      answer: 'SELECT COUNT(*) FROM members WHERE born > 1990;',
    },
    {
      values: { schema: 'rooms(id, floor, beds, rate)', question: 'What is the lowest rate?' },
      answer: 'SELECT MIN(rate) FROM rooms;',
    },
    {
      values: {
        schema: 'films(id, title, director, year, minutes)',
        question: 'List the titles of all films by Ada Holm.',
      },
      answer: "SELECT title FROM films WHERE director = 'Ada Holm';",
    },
    {
      values: { schema: 'rooms(id, floor, beds, rate)', question: 'How many rooms are on each floor?' },
      answer: 'SELECT floor, COUNT(*) FROM rooms GROUP BY floor;',
    },
    {
      values: {
        schema: 'films(id, title, director, year, minutes)',
        question: 'Which film is the longest? Give its title.',
      },
      answer: 'SELECT title FROM films ORDER BY minutes DESC LIMIT 1;',
    },
    {
      values: {
        schema: 'clubs(id, name, town)\nmembers(id, club_id, name, born)',
        question: 'Which members belong to the club Seagulls? Give their names.',
      },
      answer:
        "SELECT members.name FROM members JOIN clubs ON members.club_id = clubs.id WHERE clubs.name = 'Seagulls';",
    },
    {
      values: { schema: 'rooms(id, floor, beds, rate)', question: 'Show all rooms, the cheapest first.' },
      answer: 'SELECT * FROM rooms ORDER BY rate;',
    },
    {
      values: {
        schema: 'clubs(id, name, town)\nmembers(id, club_id, name, born)',
        question: 'Show all towns, each once.',
      },
      answer: 'SELECT DISTINCT town FROM clubs;',
    },
    {
      values: {
        schema: 'films(id, title, director, year, minutes)',
        question: 'What is the average length of the films of 1999 in minutes?',
      },
      answer: 'SELECT AVG(minutes) FROM films WHERE year = 1999;',
    },
  ],
  sampling: { temperature: 0, max_tokens: 96, stop: [';'] },
  format: { type: 'sql', schema: 'schema' },
  level: 'better-with-bigger',
}
