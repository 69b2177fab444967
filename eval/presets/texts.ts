import type { PresetCase } from './cases'

function text(source: string, ...wanted: string[]): PresetCase {
  return { values: { text: source }, wanted }
}

/** Texts and what a summary of them must name ("a|b" is either). */
export const SUMMARY_CASES: readonly PresetCase[] = [
  text(
    'The city council of Farnborough decided on Tuesday to plant 400 trees along the river. The work begins in autumn and is paid for by a gift from a local brewery. Residents may choose the kinds of trees in an online vote.',
    'tree',
    'river|Farnborough',
  ),
  text(
    'Dear parents, the school trip to the zoo on Friday has to be put off, as heavy rain is expected. The new date is 22 May. Tickets stay valid. Please give your children a packed lunch on that day.',
    'trip|zoo',
    '22 May',
  ),
  text(
    'Our coffee machine will be serviced on Monday between nine and eleven. During that time no coffee can be made. Tea is available at the reception.',
    'coffee',
    'Monday|serviced',
  ),
  text(
    'Scientists in Bergen have found that a common sea snail can survive for two months without food. The animals slow down their heartbeat to a tenth of the usual rate. The team hopes that this helps to understand hibernation.',
    'snail',
    'food|survive',
  ),
  text(
    'The museum of clocks has had its best year so far: 81,000 people came, a third more than in the year before. The director says that the new rooms for children made the difference.',
    'museum|clock',
    'visitors|people|81,000|year',
  ),
  text(
    'Please note that the car park behind the hall is closed for resurfacing until 4 April. Visitors can leave their cars at the sports ground, five minutes away on foot.',
    'car park|parking',
    '4 April|closed',
  ),
  text(
    'Marta started baking when she was eight. Today she runs three bakeries in Porto and employs forty people. Her secret, she says, is that the dough rests for two days.',
    'Marta',
    'baker',
  ),
  text(
    'The ferry between Holm and Sandy Island will run every hour from June. Until now there was one every two hours. The fare stays at four pounds.',
    'ferry',
    'hour',
  ),
  text(
    'Version 3.1 of the app brings a dark theme and a faster search. Two errors that made the app close by itself on old phones were corrected. The update is free.',
    'dark|theme',
    'search',
  ),
  text(
    'A fire destroyed an empty barn near Wexley on Saturday night. Nobody was hurt. The police believe that a lightning strike was the cause and ask witnesses to call them.',
    'barn|fire',
    'lightning|hurt',
  ),
  text(
    'Bees find their way by the position of the sun. When clouds hide it, they use the pattern of light in the blue parts of the sky. In complete darkness they stay in the hive.',
    'bee',
    'sun|light',
  ),
  text(
    'The price of olive oil has doubled within a year. Two dry summers in Spain halved the harvest. Experts expect prices to fall when the next harvest comes in.',
    'olive oil',
    'dry|harvest|Spain',
  ),
  text(
    'We are looking for a gardener for two days a week. You should have some experience with fruit trees and a driving licence. We pay 18 euros an hour. Write to Mrs Lund by the end of the month.',
    'gardener',
    '18|two days|fruit',
  ),
  text(
    'The concert on 9 July moves from the park to the town hall because the stage in the park is damaged. Tickets remain valid and the doors open half an hour earlier.',
    'concert',
    'town hall',
  ),
  text(
    'Glass can be recycled again and again without losing quality. Making new glass from old needs a third less energy than making it from sand. Lids should be taken off, while labels may stay on.',
    'glass',
    'recycl',
  ),
  text(
    'The swimming club of Ostby won all five races on Sunday. It was the first time in the history of the club. The youngest swimmer, Ida, is only eleven.',
    'swim',
    'five|all|won',
  ),
  text(
    'From next week on the library is open until nine in the evening on Thursdays. On Mondays it will stay closed instead. The reading room is not affected.',
    'library',
    'Thursday|Monday',
  ),
  text(
    'In a study with 600 office workers, those who took a ten-minute walk after lunch made fewer mistakes in the afternoon. The effect was largest on rainy days. Why that is so is not clear.',
    'walk',
    'mistake|study',
  ),
  text(
    'Your heating bill for this year is 1,140 pounds. You have paid 1,200 in advance, so we will return 60 pounds to your account by the end of March. The monthly rate stays the same.',
    '60',
    'heating|bill',
  ),
  text(
    'The bridge over the Lind is one hundred years old this summer. It was built by women, as the men were away at war. A small exhibition in the mill shows photographs of that time.',
    'bridge',
    'women|hundred|100',
  ),
  text(
    'Trains between Dorn and Vale are cancelled tomorrow because of a strike. Buses will run every thirty minutes, but they take twice as long. Tickets can be returned for free.',
    'train',
    'strike|bus',
  ),
  text(
    'The new phone of Kestrel can be charged in twelve minutes. Its camera, however, is the same as in the last model, and at 900 dollars it costs a hundred more. We would wait for the next one.',
    'phone',
    'camera|charge|900',
  ),
  text(
    'Most people should drink about a litre and a half of water a day. On hot days or when doing sports it should be more. Coffee counts as well, in spite of what is often said.',
    'water',
    'litre|day',
  ),
  text(
    'The village shop in Arle will not close after all. A hundred and twenty families have bought shares and will run it together. It opens again in September with a small café.',
    'shop',
    'families|shares|September',
  ),
]

function rewrite(style: string, source: string, ...wanted: string[]): PresetCase {
  return { values: { style, text: source }, wanted }
}

/** Texts to say another way, and what must be kept ("a|b" is either). */
export const REWRITE_CASES: readonly PresetCase[] = [
  rewrite('more polite', 'Close the window.', 'window'),
  rewrite('more polite', 'Give me the report by Friday.', 'report', 'Friday'),
  rewrite('more polite', 'You forgot to pay the invoice.', 'invoice|payment|pay'),
  rewrite('more polite', 'Move your car. It blocks the gate.', 'car', 'gate'),
  rewrite('more polite', 'Call me back at 5 pm.', 'call', '5'),
  rewrite('more polite', 'Stop playing music after ten.', 'music', 'ten|10'),
  rewrite(
    'shorter',
    'I just wanted to let you know that the meeting that we had planned for Monday has been cancelled.',
    'meeting',
    'Monday',
    'cancel',
  ),
  rewrite(
    'shorter',
    'Due to the fact that the weather is going to be very bad, the picnic will take place on Sunday instead of on Saturday.',
    'picnic',
    'Sunday',
  ),
  rewrite(
    'shorter',
    'It would be really great if you could be so kind as to send me the key of the shed before Thursday.',
    'key',
    'Thursday',
  ),
  rewrite(
    'shorter',
    'At this point in time we are not in a position to give you any information about the price of the house.',
    'price',
    'house',
  ),
  rewrite(
    'shorter',
    'There are many people who are of the opinion that the new station is too far away from the centre of the town.',
    'station',
    'far',
  ),
  rewrite(
    'shorter',
    'In the event that it should rain on the day of the race, the race will begin at 11 instead of at 9.',
    'rain',
    '11',
  ),
  rewrite('simpler', 'The premises must be vacated prior to 6 pm.', '6', 'leave|left|empty|out'),
  rewrite('simpler', 'Consumption of beverages is prohibited in the reading room.', 'drink', 'reading room'),
  rewrite(
    'simpler',
    'Kindly furnish the required documentation at your earliest convenience.',
    'document|paper',
    'soon',
  ),
  rewrite('simpler', 'The remuneration will be disbursed on the 15th of each month.', '15', 'pay|paid'),
  rewrite(
    'simpler',
    'Patrons are advised to retain their tickets for the duration of the journey.',
    'ticket',
    'keep',
  ),
  rewrite(
    'simpler',
    'The apparatus malfunctioned owing to insufficient lubrication.',
    'oil|grease|lubric',
    'machine|device|apparatus',
  ),
  rewrite('more formal', 'Hi Tom, thanks a lot for the quick answer!', 'Tom', 'thank|grat|appreciat'),
  rewrite('more formal', "Sorry, we messed up your order. We'll fix it by Monday.", 'order', 'Monday'),
  rewrite('more formal', 'Can you guys tell me how much the room is?', 'room', 'price|cost|rate|much'),
  rewrite(
    'more formal',
    "The boss says no, it's way too pricey.",
    'expensive|cost|pric',
    'manag|director|boss|superior',
  ),
  rewrite('more formal', 'Wanna meet at 3 to talk about the plan?', '3', 'plan'),
  rewrite('more formal', "I'm off next week, ask Nina if you need anything.", 'week', 'Nina'),
]

function translation(language: string, source: string, ...wanted: string[]): PresetCase {
  return { values: { language, text: source }, wanted }
}

/** Sentences with their translations. */
export const TRANSLATION_CASES: readonly PresetCase[] = [
  translation('French', 'The cat sleeps on the chair.', 'Le chat dort sur la chaise.'),
  translation('French', 'I would like a glass of water.', "Je voudrais un verre d'eau."),
  translation('French', 'Where is the library?', 'Où est la bibliothèque ?'),
  translation('French', 'The train leaves at eight.', 'Le train part à huit heures.'),
  translation('French', 'My sister lives in Paris.', 'Ma sœur habite à Paris.'),
  translation('French', 'We are very tired today.', "Nous sommes très fatigués aujourd'hui."),
  translation('French', 'How much does this book cost?', 'Combien coûte ce livre ?'),
  translation('French', 'Please close the door.', "Fermez la porte, s'il vous plaît."),
  translation('Spanish', 'The house is very big.', 'La casa es muy grande.'),
  translation('Spanish', 'I have two brothers.', 'Tengo dos hermanos.'),
  translation('Spanish', 'Where is the bathroom?', '¿Dónde está el baño?'),
  translation('Spanish', 'The children play in the park.', 'Los niños juegan en el parque.'),
  translation('Spanish', 'Good morning, how are you?', 'Buenos días, ¿cómo estás?'),
  translation('Spanish', 'I do not understand the question.', 'No entiendo la pregunta.'),
  translation('Spanish', 'The water is cold.', 'El agua está fría.'),
  translation('Spanish', 'We will arrive tomorrow.', 'Llegaremos mañana.'),
  translation('German', 'The dog is in the garden.', 'Der Hund ist im Garten.'),
  translation('German', 'I am learning German.', 'Ich lerne Deutsch.'),
  translation('German', 'What time is it?', 'Wie spät ist es?'),
  translation('German', 'The bread is fresh.', 'Das Brot ist frisch.'),
  translation('German', 'She works in a hospital.', 'Sie arbeitet in einem Krankenhaus.'),
  translation('German', 'We need a new table.', 'Wir brauchen einen neuen Tisch.'),
  translation('German', 'Can you help me, please?', 'Können Sie mir bitte helfen?'),
  translation('German', 'It is raining today.', 'Heute regnet es.'),
]
