import type { PresetCase } from './cases'

const LABELS = 'billing, technical problem, account access, delivery, other'

function ticket(text: string, category: string, urgency: string): PresetCase {
  return { values: { text, labels: LABELS }, wanted: [`Category: ${category}`, `Urgency: ${urgency}`] }
}

/** Tickets with the category and the urgency a person would give them. */
export const TRIAGE_CASES: readonly PresetCase[] = [
  ticket(
    'You charged my card twice for the October subscription. Please refund one payment.',
    'billing',
    'normal',
  ),
  ticket('The app closes by itself each time I open the camera.', 'technical problem', 'normal'),
  ticket('I forgot my password and the reset mail never arrives.', 'account access', 'normal'),
  ticket('My parcel was due last Monday and still is not here.', 'delivery', 'normal'),
  ticket('Do you have a shop in Lyon?', 'other', 'low'),
  ticket(
    'Our whole team is locked out since this morning and we cannot work. Please help at once!',
    'account access',
    'high',
  ),
  ticket(
    'The invoice shows the wrong company address. Could you send a new one some time?',
    'billing',
    'low',
  ),
  ticket(
    'URGENT: the checkout page shows error 500 and all our customers are affected.',
    'technical problem',
    'high',
  ),
  ticket('The courier left the box at the wrong house.', 'delivery', 'normal'),
  ticket('Just wanted to say that I love your new packaging.', 'other', 'low'),
  ticket('Why did the price of my plan rise from 9 to 12 euros on my last bill?', 'billing', 'normal'),
  ticket('Since the update the sound is distorted in every video.', 'technical problem', 'normal'),
  ticket(
    'Someone else logged in to my account from another country and changed my email. Stop them now!',
    'account access',
    'high',
  ),
  ticket('Can I change the delivery address of order 5521 before it ships?', 'delivery', 'normal'),
  ticket('How many people work at your company?', 'other', 'low'),
  ticket('My refund of 30 dollars has not arrived after three weeks.', 'billing', 'normal'),
  ticket('The export button does nothing when I click it.', 'technical problem', 'normal'),
  ticket('My account says it is suspended but I never got a message.', 'account access', 'normal'),
  ticket('The tracking page has said "in transit" for twelve days.', 'delivery', 'normal'),
  ticket('Are you hiring students for the summer?', 'other', 'low'),
  ticket(
    'You took 4,000 euros from our account instead of 400. Fix this immediately, our rent is due today.',
    'billing',
    'high',
  ),
  ticket(
    'The text is a bit small on my tablet, maybe you can improve that one day.',
    'technical problem',
    'low',
  ),
  ticket('I would like to change the user name of my login.', 'account access', 'low'),
  ticket(
    'The medicine I ordered must arrive today, my mother needs it tonight, and the driver cannot be reached.',
    'delivery',
    'high',
  ),
  ticket('Where can I read the terms of your competition?', 'other', 'low'),
  ticket('I was billed although I cancelled my plan in May.', 'billing', 'normal'),
  ticket(
    'The server has been down for two hours and we are losing orders every minute!',
    'technical problem',
    'high',
  ),
  ticket('The two-factor code is always rejected when I sign in.', 'account access', 'normal'),
  ticket('Two of the five glasses were broken when the package came.', 'delivery', 'normal'),
  ticket('Your newsletter was a pleasure to read.', 'other', 'low'),
]
