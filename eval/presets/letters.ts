import type { PresetCase } from './cases'

function letter(text: string, notes: string, ...wanted: string[]): PresetCase {
  return { values: { text, notes }, wanted }
}

/** What customers wrote, notes for the answer, and what of them the letter must say ("a|b" is either). */
export const REPLY_CASES: readonly PresetCase[] = [
  letter(
    'The zip of my jacket broke after a week.',
    'sorry; send it back for free; repair takes 10 days',
    'sorry|apolog',
    'free',
    '10 days',
  ),
  letter(
    'When will the blue mugs be back?',
    'in stock again on 14 June; can reserve by email',
    '14 June',
    'reserve',
    'email|e-mail',
  ),
  letter(
    'I was charged twice.',
    'sorry; second payment refunded today; takes 3 to 5 days',
    'sorry|apolog',
    'refund',
    '3 to 5',
  ),
  letter(
    'How do I reset my password?',
    'click "Forgot password"; link is valid for one hour',
    'forgot password',
    'one hour|1 hour',
  ),
  letter('Do you ship to Iceland?', 'yes; costs 18 euros; takes about 8 days', 'yes', '18', '8 days'),
  letter('Can I return worn shoes?', 'no, only unworn ones; within 30 days', 'unworn', '30 days'),
  letter(
    'The app crashes when I open a photo.',
    'known problem; fixed in version 4.2; please update',
    '4.2',
    'update',
  ),
  letter(
    'I would like to cancel my subscription.',
    'cancelled as of 31 August; no further payments',
    '31 August',
    'payment',
  ),
  letter(
    'My parcel is marked as delivered but I have nothing.',
    'sorry; we asked the courier; answer by Thursday',
    'sorry|apolog',
    'courier',
    'Thursday',
  ),
  letter(
    'Is the soap vegan?',
    'yes; all soaps are vegan; list of ingredients on the web page',
    'vegan',
    'ingredients',
  ),
  letter(
    'Can I change the name on my ticket?',
    'yes, once; free until 48 hours before; in your account',
    'once|one time',
    '48 hours',
    'account',
  ),
  letter(
    'The invoice has the old address.',
    'new invoice attached; address changed in the account',
    'attach',
    'address',
  ),
  letter('My heater smells burnt.', 'please unplug it; do not use it; we send a new one', 'unplug', 'new'),
  letter('Do you have a repair shop in Turin?', 'no; nearest is in Milan; Via Roma 5', 'Milan', 'Via Roma 5'),
  letter('I did not get the newsletter discount.', 'code HELLO10; valid until Sunday', 'HELLO10', 'Sunday'),
  letter(
    'Why is my order late?',
    'sorry; supplier had a strike; ships on Monday',
    'sorry|apolog',
    'strike',
    'Monday',
  ),
  letter(
    'Can I get a bigger room?',
    'room 21 is free; 15 euros more a night; tell us by noon',
    '21',
    '15',
    'noon',
  ),
  letter(
    'My gift card does not work.',
    'card was not active; it works now; sorry',
    'sorry|apolog',
    'active|activated',
    'now',
  ),
  letter('Which battery does the clock need?', 'one AA battery; not included', 'AA', 'not included|included'),
  letter('The lamp is too bright.', 'use a 40 watt bulb; we send one for free', '40', 'bulb', 'free'),
  letter('Are dogs allowed in the garden?', 'yes, on a lead; not in the cafe', 'lead|leash', 'cafe|café'),
  letter(
    'I lost my receipt.',
    'order number is enough; it is in the email of 2 May',
    'order number',
    '2 May',
  ),
  letter(
    'How long is the warranty?',
    '2 years; battery 6 months',
    '2 years|two years',
    '6 months|six months',
  ),
  letter(
    'The course was full.',
    'second date 9 October; a place is kept for you',
    '9 October',
    'place|spot|kept',
  ),
]
