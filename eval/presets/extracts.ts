import type { PresetCase } from './cases'

function extract(text: string, fields: Readonly<Record<string, string | null>>): PresetCase {
  return {
    values: { text, keys: Object.keys(fields).join(', ') },
    wanted: Object.entries(fields).map(([key, value]) => `${key}=${value ?? 'null'}`),
  }
}

/** Texts with the values of their keys; null is not in the text. */
export const EXTRACT_CASES: readonly PresetCase[] = [
  extract('Lena Hartwig, nurse, lives in Bremen.', { name: 'Lena Hartwig', job: 'nurse', city: 'Bremen' }),
  extract('Order 7731: two desk lamps, 58 euros in total, to be sent on Friday.', {
    order: '7731',
    item: 'desk lamps',
    total: '58 euros',
  }),
  extract('The meeting about the roof is on 4 June at 15:00 in room 12.', {
    topic: 'the roof',
    date: '4 June',
    time: '15:00',
    room: '12',
  }),
  extract('Please call Omar Reyes at 555-0142 about the heating.', {
    name: 'Omar Reyes',
    phone: '555-0142',
    topic: 'the heating',
  }),
  extract('Flight MX204 from Oslo to Madrid leaves at 09:40.', {
    flight: 'MX204',
    from: 'Oslo',
    to: 'Madrid',
    departure: '09:40',
  }),
  extract('For sale: blue city bike, three years old, 120 pounds.', {
    item: 'city bike',
    colour: 'blue',
    price: '120 pounds',
  }),
  extract('Our vet, Dr. Amelia Stone, is in from Monday to Thursday.', {
    name: 'Amelia Stone',
    job: 'vet',
    days: 'Monday to Thursday',
  }),
  extract('The recipe needs 200 g of flour and 3 eggs, and bakes for 40 minutes.', {
    flour: '200 g',
    eggs: '3',
    duration: '40 minutes',
  }),
  extract('Write to help@example.org if the key is lost.', { email: 'help@example.org', topic: 'the key' }),
  extract('Jonas Weber ordered a green umbrella for 19 dollars.', {
    name: 'Jonas Weber',
    item: 'umbrella',
    colour: 'green',
    price: '19 dollars',
  }),
  extract('The concert of the choir takes place in Ghent on 12 May.', {
    event: 'concert',
    city: 'Ghent',
    date: '12 May',
  }),
  extract('Train 88 to Milan departs from platform 5.', { train: '88', to: 'Milan', platform: '5' }),
  extract('Flat for rent in Porto: two rooms, 640 euros a month, free from August.', {
    city: 'Porto',
    rooms: 'two',
    rent: '640 euros',
    free: 'August',
  }),
  extract('My name is Ines Duarte and I am a plumber.', { name: 'Ines Duarte', job: 'plumber' }),
  extract('Invoice 20418 of 3 March: 310 dollars, due in 14 days.', {
    invoice: '20418',
    date: '3 March',
    amount: '310 dollars',
    due: '14 days',
  }),
  extract('The library in Graz opens at 10:00 and closes at 18:00.', {
    city: 'Graz',
    opens: '10:00',
    closes: '18:00',
  }),
  extract('Patient: Ruth Adler, 71 years, allergic to penicillin.', {
    name: 'Ruth Adler',
    age: '71',
    allergy: 'penicillin',
  }),
  extract('The red kettle with the number K-19 leaks.', {
    product: 'kettle',
    number: 'K-19',
    problem: 'leaks',
  }),
  extract('Tomas Novak has worked for Harbour Foods in Gdansk since 2015.', {
    name: 'Tomas Novak',
    company: 'Harbour Foods',
    city: 'Gdansk',
    since: '2015',
  }),
  extract('The course "Bread at home" costs 45 euros and lasts three hours.', {
    course: 'Bread at home',
    price: '45 euros',
    duration: 'three hours',
  }),
  extract('Contact: Priya Nair, Cork, priya@example.com.', {
    name: 'Priya Nair',
    city: 'Cork',
    email: 'priya@example.com',
  }),
  extract('The museum sold 1,250 tickets on Sunday.', { tickets: '1,250', day: 'Sunday' }),
  extract('Hotel Alder, Bern: one night for two people at 140 francs.', {
    hotel: 'Alder',
    city: 'Bern',
    price: '140 francs',
  }),
  extract('The dog Bruno, a brown terrier, was last seen at the lake.', {
    name: 'Bruno',
    breed: 'terrier',
    place: 'the lake',
  }),
]
